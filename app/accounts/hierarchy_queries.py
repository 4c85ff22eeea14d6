"""Walk the hierarchy of accounts: ancestors above an account, levels below it."""

from sqlalchemy.orm import Session

from app.accounts.hierarchy import MOST_LEVELS
from app.core.sql import load_sql

SQL = load_sql(__file__)


def lock_account_key(session: Session, workspace_id: str, account_id: str) -> bool:
    """Prevent an account from being deleted before this transaction ends.

    Return False if there is no such account.
    """
    values = {"workspace_id": workspace_id, "account_id": account_id}
    return session.scalar(SQL.lock_account_key, values) is not None


def list_ancestors(session: Session, workspace_id: str, account_id: str) -> list[str]:
    """Return the account itself, its parent, and so on up; at most ``MOST_LEVELS`` + 1 ids."""
    return list(session.scalars(SQL.ancestors, _values(workspace_id, account_id)))


def count_levels(session: Session, workspace_id: str, account_id: str) -> int:
    """Count the levels from the account down; 1 if it has no children."""
    return int(session.scalar(SQL.count_levels, _values(workspace_id, account_id)) or 0)


def _values(workspace_id: str, account_id: str) -> dict[str, object]:
    return {"workspace_id": workspace_id, "account_id": account_id, "most_levels": MOST_LEVELS}
