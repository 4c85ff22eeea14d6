"""Old ids of accounts that were renamed or merged. Each old id maps to the current id."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.core.sql import load_sql

SQL = load_sql(__file__)


def current_ids(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, str]:
    """Map old ids to current ids. An id that is not an old id is left out."""
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids)}
    return {row.account_id: row.target_id for row in session.execute(SQL.current_ids, values)}


def current_id(session: Session, workspace_id: str, account_id: str) -> str:
    return current_ids(session, workspace_id, [account_id]).get(account_id, account_id)


def resolve_before_request(sessions: SessionFactory, workspace_id: str, account_id: str) -> str:
    """Return the current id of an account. Uses its own session, before the request opens one."""
    with sessions() as session:
        return current_id(session, workspace_id, account_id)


def old_ids(session: Session, workspace_id: str, account_id: str) -> list[str]:
    """Return the old ids of an account."""
    values = {"workspace_id": workspace_id, "account_id": account_id}
    return list(session.scalars(SQL.old_ids, values))


def put(
    session: Session, workspace_id: str, account_id: str, target_id: str, *, now: datetime
) -> None:
    """Make ``account_id`` and all its aliases aliases of the account ``target_id``."""
    values = {"workspace_id": workspace_id, "account_id": account_id, "target_id": target_id}
    session.execute(SQL.set_has_aliases, values)
    session.execute(SQL.delete, {"workspace_id": workspace_id, "account_ids": [target_id]})
    session.execute(SQL.redirect, values)
    session.execute(SQL.upsert, values | {"now": now})


def delete(session: Session, workspace_id: str, account_ids: Collection[str]) -> None:
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids)}
    session.execute(SQL.delete, values)
