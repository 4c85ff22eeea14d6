"""Keep the fields of accounts on which figures of past days depend, before they change."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.accounts.tables import AccountBeforeMerge
from app.core.sql import load_sql

PAST_FIELDS = ("segment", "started_on")
OWN_COLUMNS = {"workspace_id", "account_id", "merged_on", "is_source", "is_change"}
KEPT_COLUMNS = ", ".join(
    column.name for column in AccountBeforeMerge.__table__.columns if column.name not in OWN_COLUMNS
)
"""SQL: the columns of an account that are kept, before a change or a merge."""
KEEP_BEFORE_CHANGES = load_sql(__file__).compose("keep_before_changes", columns=KEPT_COLUMNS)


def keep_before_changes(
    session: Session,
    workspace_id: str,
    changes: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    today: date,
) -> None:
    """Keep accounts as they are, for figures of the days before today, if their fields change.

    ``changes``: account id and new values of any fields. Call it before the accounts are locked or
    written, as every writer does. Accounts that do not exist yet are left out.
    """
    rows = [
        {"changed_id": account_id, "fields": fields}
        for account_id, values in changes
        if (fields := {name: values[name] for name in PAST_FIELDS if name in values})
    ]
    if rows:
        values = {
            "workspace_id": workspace_id,
            "today": today,
            "rows": orjson.dumps(rows).decode(),
        }
        session.execute(KEEP_BEFORE_CHANGES, values)
