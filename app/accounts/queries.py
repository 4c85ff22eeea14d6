from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import Select, inspect, literal, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.due import Priority
from app.accounts.tables import Account, Due, ExternalId, Plan, ProductFeature, User
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
CatalogRow = TypeVar("CatalogRow", Plan, ProductFeature)


@dataclass(frozen=True, slots=True)
class ClaimedAccount:
    """An account to score now; ``notify``: whether anybody is to hear of what changes.

    ``used_since``: if nothing but use has changed, the earliest day of what came.
    """

    workspace_id: str
    account_id: str
    priority: Priority
    notify: bool
    used_since: date | None = None


ClaimedDue = Sequence[ClaimedAccount]


def get(
    session: Session, workspace_id: str, table: type[KeyedRow], key: str, *, lock: bool = False
) -> KeyedRow:
    """Find a row by its key. Locked, it is fresh, and one writer at a time has it."""
    return get_row(session, table, (workspace_id, key), lock=NO_KEY_UPDATE if lock else False)


def ensure(
    session: Session, workspace_id: str, table: type[Table], key: str, **columns: object
) -> bool:
    """Create a row unless there is one; whether it was created."""
    names = [column.name for column in inspect(table).primary_key]
    return insert_if_missing(
        session, table, **dict(zip(names, (workspace_id, key), strict=True)), **columns
    )


def get_account(session: Session, workspace_id: str, account_id: str) -> Account:
    return get(session, workspace_id, Account, account_id)


def list_users(
    session: Session, workspace_id: str, paging: Paging, *, account_id: str | None
) -> RowPage[User]:
    """In the order of their ids."""
    users = filter_if_given(
        select(User).where(User.workspace_id == workspace_id), account_id=account_id
    )
    return fetch_page(session, users, User.user_id, paging=paging)


def find_account_id(
    session: Session, workspace_id: str, system: str, external_id: str
) -> str | None:
    """Return the account that another system knows by an id of its own."""
    row = session.get(ExternalId, (workspace_id, system, external_id), populate_existing=True)
    return row.account_id if row else None


def put_external_id(
    session: Session, workspace_id: str, account_id: str, system: str, external_id: str
) -> str:
    """Note what another system calls an account; return whose id it is from now on.

    The first account keeps it: one that is another's already stays there. Nobody is marked due.
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
    """In the order of systems and ids."""
    return session.scalars(
        select(ExternalId)
        .where(ExternalId.workspace_id == workspace_id, ExternalId.account_id.in_(account_ids))
        .order_by(ExternalId.system, ExternalId.external_id)
    ).all()


def list_catalog_page(
    session: Session, workspace_id: str, table: type[CatalogRow], paging: Paging
) -> RowPage[CatalogRow]:
    """In the order of their keys."""
    return fetch_page(session, _catalog(workspace_id, table), table.key, paging=paging)


def list_plans(session: Session, workspace_id: str) -> Sequence[Plan]:
    """In the order of their keys."""
    return session.scalars(_catalog(workspace_id, Plan).order_by(Plan.key)).all()


def list_product_features(session: Session, workspace_id: str) -> Sequence[ProductFeature]:
    """In the order of their keys."""
    return session.scalars(
        _catalog(workspace_id, ProductFeature).order_by(ProductFeature.key)
    ).all()


def _catalog(workspace_id: str, table: type[CatalogRow]) -> Select[CatalogRow]:
    return select(table).where(table.workspace_id == workspace_id)


def mark_due(
    session: Session,
    workspace_id: str,
    account_ids: Collection[str],
    *,
    priority: Priority = Priority.LIVE,
    notify: bool = True,
) -> None:
    rows = [
        {
            "workspace_id": workspace_id,
            "account_id": account_id,
            "priority": priority,
            "notify": notify,
        }
        for account_id in sorted(set(account_ids))
    ]
    if rows:
        session.execute(insert(Due), rows)


def mark_all_due(session: Session, workspace_id: str, *, priority: Priority) -> None:
    """Have every account of a workspace scored again, silently."""
    accounts = select(
        Account.workspace_id, Account.account_id, literal(int(priority)), literal(value=False)
    ).where(Account.workspace_id == workspace_id)
    columns = ["workspace_id", "account_id", "priority", "notify"]
    session.execute(insert(Due).from_select(columns, accounts.order_by(Account.account_id)))


# An account that somebody else has is left for later: its scores are locked. What waits further
# behind of a claimed account is claimed with it, if it is live: it would be scored again for that.
CLAIM_DUE = text("""
WITH picked AS MATERIALIZED (
    SELECT priority, id, workspace_id, account_id FROM due WHERE priority >= :least
    ORDER BY priority, id LIMIT :limit FOR UPDATE SKIP LOCKED
),
most_urgent AS (
    SELECT *, row_number() OVER (ORDER BY id) AS place
    FROM picked WHERE priority = (SELECT min(priority) FROM picked)
),
wanted AS (SELECT * FROM most_urgent WHERE priority = 0 OR place <= :few),
free AS MATERIALIZED (
    SELECT workspace_id, account_id
    FROM (SELECT DISTINCT workspace_id, account_id FROM wanted) AS one
    WHERE pg_try_advisory_xact_lock(
        hashtextextended(workspace_id || chr(31) || account_id, :claims))
),
behind AS MATERIALIZED (
    SELECT priority, id FROM due JOIN free USING (workspace_id, account_id)
    WHERE priority = 0
    FOR UPDATE OF due SKIP LOCKED
),
claimed AS (
    DELETE FROM due USING (
        SELECT priority, id FROM wanted JOIN free USING (workspace_id, account_id)
        UNION SELECT priority, id FROM behind) AS c
    WHERE (due.priority, due.id) = (c.priority, c.id)
    RETURNING due.workspace_id, due.account_id, due.priority, due.notify, due.used_since
),
unparked AS (
    DELETE FROM parked_account p USING claimed c
    WHERE p.workspace_id = c.workspace_id AND p.account_id = c.account_id
)
SELECT workspace_id, account_id, min(priority) AS priority, bool_or(notify) AS notify,
       CASE WHEN bool_and(used_since IS NOT NULL) THEN min(used_since) END AS used_since
FROM claimed GROUP BY workspace_id, account_id ORDER BY workspace_id, account_id
""")


CLAIM_LOCK_SEED = 0x5C0E
"""Sets the advisory locks of claims apart from others."""


def claim_due(
    session: Session, *, limit: int, few: int | None = None, least: Priority = Priority.LIVE
) -> ClaimedDue:
    """Take accounts of the most urgent priority out of the queue, each once, in key order.

    Of at most ``limit`` entries, and of what is not live ``few``, so that live ones need not wait
    for long. What is more urgent than ``least`` is passed over. A rollback puts them back. A parked
    account that was marked again has another chance.
    """
    few = limit if few is None else few
    values = {"limit": limit, "few": few, "least": least, "claims": CLAIM_LOCK_SEED}
    rows = session.execute(CLAIM_DUE, values)
    return [
        ClaimedAccount(
            row.workspace_id, row.account_id, Priority(row.priority), row.notify, row.used_since
        )
        for row in rows
    ]
