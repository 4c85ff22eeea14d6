"""Read accounts, users and other rows by their id; read and write external ids."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, exists, select, tuple_
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import FAILURES_UNTIL_PARKED
from app.accounts.tables import Account, ExternalId, ParkedAccount, User
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import NO_KEY_UPDATE, RowT, fetch_page, get_row
from app.core.row_queries import ensure_row


def get(
    session: Session, workspace_id: str, table: type[RowT], key: str, *, lock: bool = False
) -> RowT:
    """Return a row by its key, or raise ``NotFoundError``.

    ``lock``: read the row anew and lock it; one writer at a time holds it.
    """
    return get_row(session, table, (workspace_id, key), lock=NO_KEY_UPDATE if lock else False)


def get_account(session: Session, workspace_id: str, account_id: str) -> Account:
    return get(session, workspace_id, Account, account_id)


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
    ensure_row(session, workspace_id, ExternalId, system, external_id, account_id=account_id)
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


def list_parked(session: Session, workspace_id: str, paging: Paging) -> RowPage[ParkedAccount]:
    """Return a page of the accounts that are parked now, in key order."""
    parked = select(ParkedAccount).where(
        ParkedAccount.workspace_id == workspace_id,
        ParkedAccount.failures >= FAILURES_UNTIL_PARKED,
    )
    return fetch_page(session, parked, ParkedAccount.account_id, paging=paging)


def has_excluded_users(session: Session, workspace_id: str) -> bool:
    statement = select(exists().where(User.workspace_id == workspace_id, User.excluded))
    return bool(session.scalar(statement))
