from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class NewChange:
    """``type`` is what changed: ``score``, ``alert``, ``intervention``; ``data`` is JSON-ready."""

    type: str
    account_id: str | None
    data: Mapping[str, Any]


RECORD = text("""
INSERT INTO change (workspace_id, transaction_id, type, account_id, data, created_at)
SELECT :workspace_id, CAST(CAST(pg_current_xact_id() AS text) AS bigint), r.type, r.account_id,
       r.data, :now
FROM ROWS FROM (json_to_recordset(CAST(:rows AS json))
                AS (type text, account_id text, data jsonb)) WITH ORDINALITY
    AS r (type, account_id, data, place)
ORDER BY r.place
""")


def record(
    session: Session, workspace_id: str, changes: Sequence[NewChange], *, now: datetime
) -> None:
    """Tell polling readers of changes, in the caller's transaction and in this order."""
    if changes:
        rows = orjson.dumps(changes).decode()
        session.execute(RECORD, {"workspace_id": workspace_id, "rows": rows, "now": now})
