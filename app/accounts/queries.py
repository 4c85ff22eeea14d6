"""Read and insert accounts, users and external ids, and any row with a key of one part."""

from collections.abc import Collection, Sequence
from typing import TypeVar

from sqlalchemy import delete, inspect, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.tables import Account, ExternalId, Plan, ProductFeature, User
from app.core.db import Table
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import (
    NO_KEY_UPDATE,
    fetch_page,
    filter_if_given,
    get_row,
    insert_if_missing,
)

KeyedRow = TypeVar("KeyedRow", Account, User, Plan, ProductFeature)


def get(
    session: Session, workspace_id: str, table: type[KeyedRow], key: str, *, lock: bool = False
) -> KeyedRow:
    """Return a row by its key, or raise ``NotFoundError``.

    ``lock``: read the row anew and lock it; one writer at a time holds it.
    """
    return get_row(session, table, (workspace_id, key), lock=NO_KEY_UPDATE if lock else False)


def ensure(
    session: Session, workspace_id: str, table: type[Table], key: str, **columns: object
) -> bool:
    """Insert a row unless its key exists; return whether it was inserted."""
    names = [column.name for column in inspect(table).primary_key]
    return insert_if_missing(
        session, table, **dict(zip(names, (workspace_id, key), strict=True)), **columns
    )


def get_account(session: Session, workspace_id: str, account_id: str) -> Account:
    return get(session, workspace_id, Account, account_id)


def list_users(
    session: Session, workspace_id: str, paging: Paging, *, account_id: str | None
) -> RowPage[User]:
    """Return one page of users, ordered by id. ``account_id`` None: of all accounts."""
    users = filter_if_given(
        select(User).where(User.workspace_id == workspace_id), account_id=account_id
    )
    return fetch_page(session, users, User.user_id, paging=paging)


def find_account_id(
    session: Session, workspace_id: str, system: str, external_id: str
) -> str | None:
    """Return the id of the account that has an external id, or None."""
    row = session.get(ExternalId, (workspace_id, system, external_id), populate_existing=True)
    return row.account_id if row else None


def put_external_id(
    session: Session, workspace_id: str, account_id: str, system: str, external_id: str
) -> str:
    """Give an external id to an account unless another has it; return the id of its owner.

    No account is queued for scoring.
    """
    row = {
        "workspace_id": workspace_id,
        "system": system,
        "external_id": external_id,
        "account_id": account_id,
    }
    session.execute(insert(ExternalId).values(**row).on_conflict_do_nothing())
    return find_account_id(session, workspace_id, system, external_id) or account_id


def list_external_ids(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> Sequence[ExternalId]:
    """Return the external ids of accounts, ordered by system and id."""
    return session.scalars(
        select(ExternalId)
        .where(ExternalId.workspace_id == workspace_id, ExternalId.account_id.in_(account_ids))
        .order_by(ExternalId.system, ExternalId.external_id)
    ).all()


def delete_external_ids(
    session: Session, workspace_id: str, account_id: str, pairs: Collection[tuple[str, str]]
) -> None:
    """Delete pairs of system and external id that belong to the account."""
    session.execute(
        delete(ExternalId).where(
            ExternalId.workspace_id == workspace_id,
            ExternalId.account_id == account_id,
            tuple_(ExternalId.system, ExternalId.external_id).in_(sorted(pairs)),
        )
    )
