"""Old ids of accounts that were renamed or merged. Each old id maps to the current id."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory

CURRENT_IDS = text("""
SELECT account_id, target_id FROM account_alias
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
""")

OLD_IDS = text("""
SELECT account_id FROM account_alias
WHERE workspace_id = :workspace_id AND target_id = :account_id ORDER BY account_id
""")

# No chains: aliases of the old id are redirected to the new one.
REDIRECT = text("""
UPDATE account_alias SET target_id = :target_id
WHERE workspace_id = :workspace_id AND target_id = :account_id
""")

UPSERT = text("""
INSERT INTO account_alias (workspace_id, account_id, target_id, known_at)
VALUES (:workspace_id, :account_id, :target_id, :now)
ON CONFLICT (workspace_id, account_id) DO UPDATE SET
    target_id = excluded.target_id, known_at = excluded.known_at
""")

DELETE = text("""
DELETE FROM account_alias
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
""")

SET_HAS_ALIASES = text(
    "UPDATE workspace SET has_aliases = true WHERE id = :workspace_id AND NOT has_aliases"
)


def current_ids(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, str]:
    """Map old ids to current ids. An id that is not an old id is left out."""
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids)}
    return {row.account_id: row.target_id for row in session.execute(CURRENT_IDS, values)}


def current_id(session: Session, workspace_id: str, account_id: str) -> str:
    return current_ids(session, workspace_id, [account_id]).get(account_id, account_id)


def resolve_before_request(sessions: SessionFactory, workspace_id: str, account_id: str) -> str:
    """Return the current id in a session of its own, before the request opens one."""
    with sessions() as session:
        return current_id(session, workspace_id, account_id)


def old_ids(session: Session, workspace_id: str, account_id: str) -> list[str]:
    """Return the old ids of an account."""
    values = {"workspace_id": workspace_id, "account_id": account_id}
    return list(session.scalars(OLD_IDS, values))


def put(
    session: Session, workspace_id: str, account_id: str, target_id: str, *, now: datetime
) -> None:
    """Make an id, and all aliases of it, aliases of another account."""
    values = {"workspace_id": workspace_id, "account_id": account_id, "target_id": target_id}
    session.execute(SET_HAS_ALIASES, values)
    session.execute(DELETE, {"workspace_id": workspace_id, "account_ids": [target_id]})
    session.execute(REDIRECT, values)
    session.execute(UPSERT, values | {"now": now})


def delete(session: Session, workspace_id: str, account_ids: Collection[str]) -> None:
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids)}
    session.execute(DELETE, values)
