from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import (
    Select,
    exists,
    func,
    inspect,
    literal,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session, aliased

from app.accounts.due import Priority
from app.accounts.subscriptions import Period
from app.accounts.tables import Account, Due, Plan, ProductFeature, Subscription, User
from app.core.db import Table
from app.core.errors import NotFoundError

Keyed = TypeVar("Keyed", Account, User, Plan, ProductFeature)
Sold = TypeVar("Sold", Plan, ProductFeature)

KINDS: Mapping[type[Table], str] = {
    Account: "account",
    User: "user",
    Plan: "plan",
    ProductFeature: "product feature",
}


@dataclass(frozen=True, slots=True)
class Claimed:
    """An account to score now; ``notify``: whether anybody is to hear of what changes."""

    workspace_id: str
    account_id: str
    priority: Priority
    notify: bool


ClaimedDue = Sequence[Claimed]


def get(
    session: Session, workspace_id: str, table: type[Keyed], key: str, *, lock: bool = False
) -> Keyed:
    """Find a row by its key. Locked, it is fresh, and one writer at a time has it."""
    row = session.get(
        table,
        (workspace_id, key),
        with_for_update={"key_share": True} if lock else None,
        populate_existing=lock,
    )
    if row is None:
        raise NotFoundError(KINDS[table], key)
    return row


def ensure(
    session: Session, workspace_id: str, table: type[Keyed], key: str, **columns: object
) -> bool:
    """Create a row unless there is one; whether it was created."""
    names = [column.name for column in inspect(table).primary_key]
    row = insert(table).values(**dict(zip(names, (workspace_id, key), strict=True)), **columns)
    return session.scalar(row.on_conflict_do_nothing().returning(literal(1))) is not None


def get_account(session: Session, workspace_id: str, account_id: str) -> Account:
    return get(session, workspace_id, Account, account_id)


def list_users(
    session: Session, workspace_id: str, *, account_id: str | None, after: str | None, limit: int
) -> Sequence[User]:
    """In the order of their ids."""
    users = select(User).where(User.workspace_id == workspace_id)
    if account_id is not None:
        users = users.where(User.account_id == account_id)
    if after is not None:
        users = users.where(User.user_id > after)
    return session.scalars(users.order_by(User.user_id).limit(limit)).all()


def known_periods(session: Session, workspace_id: str, account_id: str) -> Sequence[Subscription]:
    """Every period of an account's subscriptions as it is known now, withdrawn ones too."""
    return session.scalars(
        select(Subscription)
        .ext(distinct_on(Subscription.subscription_id, Subscription.starts_on))
        .where(Subscription.workspace_id == workspace_id, Subscription.account_id == account_id)
        .order_by(
            Subscription.subscription_id, Subscription.starts_on, Subscription.known_on.desc()
        )
        .execution_options(populate_existing=True)
    ).all()


def write_periods(
    session: Session,
    workspace_id: str,
    account_id: str,
    subscription_id: str,
    periods: Collection[Period],
    *,
    source: str,
    known_on: date,
) -> None:
    """Add what became known on a day; of what is said twice on that day, the last stands.

    Nothing becomes known before what is known already: else the past would change.
    """
    of_subscription = {
        "workspace_id": workspace_id,
        "account_id": account_id,
        "subscription_id": subscription_id,
    }
    newest = select(func.max(Subscription.known_on)).filter_by(**of_subscription)
    for period in periods:
        said = asdict(period)
        columns = {**said.pop("terms"), **said, "source": source}
        row = insert(Subscription).values(
            **of_subscription,
            **columns,
            known_on=func.greatest(known_on, newest.scalar_subquery()),
        )
        key = [*of_subscription, "starts_on", "known_on"]
        session.execute(row.on_conflict_do_update(index_elements=key, set_=columns))


def periods_on(workspace_id: str, *, on: date, known_on: date) -> Select[Subscription]:
    """Select the periods that cover a day, as they were known on another."""
    newer = aliased(Subscription)
    restated = exists().where(
        newer.workspace_id == Subscription.workspace_id,
        newer.account_id == Subscription.account_id,
        newer.subscription_id == Subscription.subscription_id,
        newer.starts_on == Subscription.starts_on,
        newer.known_on > Subscription.known_on,
        newer.known_on <= known_on,
    )
    return select(Subscription).where(
        Subscription.workspace_id == workspace_id,
        Subscription.starts_on <= on,
        or_(Subscription.ends_on.is_(None), Subscription.ends_on > on),
        Subscription.known_on <= known_on,
        ~restated,
    )


def list_subscriptions(
    session: Session,
    workspace_id: str,
    *,
    account_id: str | None,
    on: date,
    known_on: date,
    after: tuple[str, str] | None,
    limit: int,
) -> Sequence[Subscription]:
    """In the order of account and subscription."""
    periods = periods_on(workspace_id, on=on, known_on=known_on)
    place = tuple_(Subscription.account_id, Subscription.subscription_id)
    if account_id is not None:
        periods = periods.where(Subscription.account_id == account_id)
    if after is not None:
        periods = periods.where(place > after)
    return session.scalars(periods.order_by(place).limit(limit)).all()


def mrr_cents(
    session: Session, workspace_id: str, account_id: str, *, on: date, known_on: date
) -> dict[str, int]:
    """Currency to what an account paid a month on a day, as it was known on another."""
    periods = periods_on(workspace_id, on=on, known_on=known_on).subquery()
    sums = (
        select(periods.c.currency, func.sum(periods.c.mrr_cents))
        .where(periods.c.account_id == account_id)
        .group_by(periods.c.currency)
        .order_by(periods.c.currency)
    )
    return {currency: int(cents) for currency, cents in session.execute(sums)}


def plans(
    session: Session, workspace_id: str, *, after: str | None = None, limit: int | None = None
) -> Sequence[Plan]:
    """In the order of their keys."""
    return _sold(session, workspace_id, Plan, after, limit)


def product_features(
    session: Session, workspace_id: str, *, after: str | None = None, limit: int | None = None
) -> Sequence[ProductFeature]:
    """In the order of their keys."""
    return _sold(session, workspace_id, ProductFeature, after, limit)


def _sold(
    session: Session, workspace_id: str, table: type[Sold], after: str | None, limit: int | None
) -> Sequence[Sold]:
    rows = select(table).where(table.workspace_id == workspace_id)
    if after is not None:
        rows = rows.where(table.key > after)
    return session.scalars(rows.order_by(table.key).limit(limit)).all()


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


CLAIM_DUE = text("""
WITH picked AS MATERIALIZED (
    SELECT priority, id FROM due ORDER BY priority, id LIMIT :limit FOR UPDATE SKIP LOCKED
),
most_urgent AS (
    SELECT priority, id, row_number() OVER (ORDER BY id) AS place
    FROM picked WHERE priority = (SELECT min(priority) FROM picked)
),
claimed AS (
    DELETE FROM due USING most_urgent m
    WHERE (due.priority, due.id) = (m.priority, m.id) AND (m.priority = 0 OR m.place <= :few)
    RETURNING due.workspace_id, due.account_id, due.priority, due.notify
),
unparked AS (
    DELETE FROM parked_account p USING claimed c
    WHERE p.workspace_id = c.workspace_id AND p.account_id = c.account_id
)
SELECT workspace_id, account_id, min(priority) AS priority, bool_or(notify) AS notify
FROM claimed GROUP BY workspace_id, account_id ORDER BY workspace_id, account_id
""")


def claim_due(session: Session, *, limit: int, few: int | None = None) -> ClaimedDue:
    """Take accounts of the most urgent priority out of the queue, each once, in key order.

    At most ``limit`` entries, and of what is not live ``few``, so that live ones need not wait
    for long. A rollback puts them back. A parked account that was marked again has another chance.
    """
    rows = session.execute(CLAIM_DUE, {"limit": limit, "few": limit if few is None else few})
    return [
        Claimed(row.workspace_id, row.account_id, Priority(row.priority), row.notify)
        for row in rows
    ]
