"""Walk the hierarchy of accounts: ancestors above an account, levels below it."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.accounts.hierarchy import MOST_LEVELS

ANCESTORS = text("""
WITH RECURSIVE line AS (
    SELECT account_id, parent_id, 1 AS level FROM account
    WHERE workspace_id = :workspace_id AND account_id = :account_id
    UNION ALL
    SELECT a.account_id, a.parent_id, l.level + 1 FROM line l
    JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = l.parent_id
    WHERE l.level <= :most_levels
)
SELECT account_id FROM line ORDER BY level
""")

# OFFSET 0 makes the planner look up the children of each parent in the index; without it, it may
# scan all accounts that have a parent.
COUNT_LEVELS = text("""
WITH RECURSIVE family AS (
    SELECT CAST(:account_id AS text) COLLATE "C" AS account_id, 1 AS level
    UNION ALL
    SELECT c.account_id, f.level + 1
    FROM family f, LATERAL (
        SELECT account_id FROM account a
        WHERE a.parent_id = f.account_id AND a.workspace_id = :workspace_id OFFSET 0
    ) AS c
    WHERE f.level <= :most_levels
)
SELECT max(level) FROM family
""")

LOCK_ACCOUNT_KEY = text("""
SELECT 1 FROM account WHERE workspace_id = :workspace_id AND account_id = :account_id
FOR KEY SHARE
""")


def lock_account_key(session: Session, workspace_id: str, account_id: str) -> bool:
    """Prevent an account from being deleted before this transaction ends.

    Return False if there is no such account.
    """
    values = {"workspace_id": workspace_id, "account_id": account_id}
    return session.scalar(LOCK_ACCOUNT_KEY, values) is not None


def list_ancestors(session: Session, workspace_id: str, account_id: str) -> list[str]:
    """Return the account itself, its parent, and so on up; at most ``MOST_LEVELS`` + 1 ids."""
    return list(session.scalars(ANCESTORS, _values(workspace_id, account_id)))


def count_levels(session: Session, workspace_id: str, account_id: str) -> int:
    """Count the levels from the account down; 1 if it has no children."""
    return int(session.scalar(COUNT_LEVELS, _values(workspace_id, account_id)) or 0)


def _values(workspace_id: str, account_id: str) -> dict[str, object]:
    return {"workspace_id": workspace_id, "account_id": account_id, "most_levels": MOST_LEVELS}
