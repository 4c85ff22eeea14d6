"""Old ids of accounts that were renamed or merged. Each old id maps to the current id."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.core.sql import load_sql

SQL = load_sql(__file__)


@dataclass(frozen=True, slots=True)
class Alias:
    """What an old id stands for. ``merged_as``: the id of its account at its merge, or empty."""

    current_id: str
    merged_as: str


def current_ids(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, str]:
    """Map old ids to current ids. An id that is not an old id is left out."""
    found = load_aliases(session, workspace_id, account_ids)
    return {account_id: alias.current_id for account_id, alias in found.items()}


def load_aliases(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, Alias]:
    """Return the aliases among ids. An id that is not an old id is left out."""
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids)}
    rows = session.execute(SQL.current_ids, values)
    return {row.account_id: Alias(row.target_id, row.merged_as or "") for row in rows}


def merge_day(session: Session, workspace_id: str, merged_account_id: str) -> date:
    """Return the day on which an account was merged into another."""
    values = {"workspace_id": workspace_id, "account_id": merged_account_id}
    day: date | None = session.scalar(SQL.merge_day, values)
    return day or date.min


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
    session: Session,
    workspace_id: str,
    account_id: str,
    target_id: str,
    *,
    now: datetime,
    is_merge: bool = False,
) -> None:
    """Make ``account_id`` and all its aliases aliases of the account ``target_id``."""
    values: dict[str, str | None] = {"account_id": account_id, "target_id": target_id}
    values["workspace_id"] = workspace_id
    values["merged_as"] = account_id if is_merge else None
    session.execute(SQL.set_has_aliases, values)
    session.execute(SQL.delete, {"workspace_id": workspace_id, "account_ids": [target_id]})
    session.execute(SQL.redirect, values)
    session.execute(SQL.upsert, values | {"now": now})


def delete(session: Session, workspace_id: str, account_ids: Collection[str]) -> None:
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids)}
    session.execute(SQL.delete, values)
