"""Read and write subscription periods, as known on a day."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import Select, any_, exists, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session, aliased

from app.accounts import renewals
from app.accounts.subscriptions import Period
from app.accounts.tables import Subscription
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, filter_if_given

PREFIXED_ID = """CASE
    WHEN length(:account_id || subscription_id) < 250 THEN :account_id || ':' || subscription_id
    ELSE left(:account_id || ':' || subscription_id, 200) || ':'
         || md5(:account_id || ':' || subscription_id) END"""
"""The id that a subscription of the merged account ``:account_id`` has beside one of its id."""
FIRST_MERGED_TERMS = text(
    f"SELECT {PREFIXED_ID} AS id, CAST(a.known_at AT TIME ZONE 'UTC' AS date) AS merged_on"  # noqa: S608
    " FROM account_alias a, (SELECT CAST(:subscription_id AS text)) AS s (subscription_id)"
    " WHERE a.workspace_id = :workspace_id AND a.account_id = :account_id"
)


@dataclass(frozen=True, slots=True)
class Merges:
    """The accounts that a subscription belonged to before merges, and the day of each merge."""

    merged_from: Sequence[str]
    merged_on: Sequence[date]

    @property
    def first_id(self) -> str:
        return self.merged_from[0]

    @property
    def last_day(self) -> date:
        return self.merged_on[-1]


def list_known_periods(
    session: Session, workspace_id: str, account_id: str
) -> Sequence[Subscription]:
    """Return every period of an account's subscriptions as known now, withdrawn ones included."""
    return session.scalars(
        select(Subscription)
        .ext(distinct_on(Subscription.subscription_id, Subscription.starts_on))
        .where(Subscription.workspace_id == workspace_id, Subscription.account_id == account_id)
        .order_by(
            Subscription.subscription_id, Subscription.starts_on, Subscription.known_on.desc()
        )
        .execution_options(populate_existing=True)
    ).all()


def list_merged_traits(
    session: Session, workspace_id: str, account_id: str, source: str
) -> dict[str, Merges]:
    """Return the subscriptions of a source that came by merges: whose they were, and until when."""
    rows = session.scalars(
        select(Subscription)
        .filter_by(workspace_id=workspace_id, account_id=account_id, source=source)
        .where(Subscription.subscription_id != source, func.cardinality(Subscription.merged_on) > 0)
        .order_by(Subscription.subscription_id, Subscription.starts_on, Subscription.known_on)
    )
    return {row.subscription_id: Merges(row.merged_from, row.merged_on) for row in rows}


def first_merged_terms(
    session: Session, workspace_id: str, merged_account_id: str, subscription_id: str
) -> dict[str, Merges]:
    """Return the id that a subscription of a merged account has in the account it is part of.

    For terms that become known after the merge. Empty if the id is no longer that of a merge.
    """
    values = {
        "workspace_id": workspace_id,
        "account_id": merged_account_id,
        "subscription_id": subscription_id,
    }
    rows = session.execute(FIRST_MERGED_TERMS, values)
    return {row.id: Merges([merged_account_id], [row.merged_on]) for row in rows}


def list_merged_ids(
    session: Session, workspace_id: str, account_id: str, merged_account_id: str
) -> set[str]:
    """Return the ids of the subscriptions that came from an account that was merged."""
    rows = (
        select(Subscription.subscription_id)
        .filter_by(workspace_id=workspace_id, account_id=account_id)
        .where(literal(merged_account_id) == any_(Subscription.merged_from))
    )
    return set(session.scalars(rows))


def write_periods(
    session: Session,
    workspace_id: str,
    account_id: str,
    changes: Mapping[str, Collection[Period]],
    *,
    source: str,
    known_on: date,
    merges: Merges | None = None,
) -> bool:
    """Write periods that became known on a day, by subscription; return whether there were any.

    A second write on the same day replaces the first. ``known_on`` is raised to the newest one of
    the subscription: an earlier one would change the past.
    """
    for subscription_id in sorted(changes):
        subscription = {
            "workspace_id": workspace_id,
            "account_id": account_id,
            "subscription_id": subscription_id,
        }
        newest = select(func.max(Subscription.known_on)).filter_by(**subscription)
        for period in changes[subscription_id]:
            columns = {**period.columns(), "source": source}
            columns |= asdict(merges) if merges else {}
            row = insert(Subscription).values(
                **subscription,
                **columns,
                known_on=func.greatest(known_on, newest.scalar_subquery()),
            )
            key = [*subscription, "starts_on", "known_on"]
            session.execute(row.on_conflict_do_update(index_elements=key, set_=columns))
    return any(changes.values())


def select_periods_on(workspace_id: str, *, on: date, known_on: date) -> Select[Subscription]:
    """Select the periods that cover the day ``on``, as they were known on ``known_on``."""
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
    paging: Paging,
    *,
    account_id: str | None,
    on: date,
    known_on: date,
) -> RowPage[Subscription]:
    """Return one page of the periods that cover a day, in the order of their keys."""
    periods = filter_if_given(
        select_periods_on(workspace_id, on=on, known_on=known_on), account_id=account_id
    )
    place = (
        Subscription.account_id,
        Subscription.subscription_id,
        Subscription.starts_on,
        Subscription.known_on,
    )
    return fetch_page(session, periods, *place, paging=paging)


def load_mrr_cents(
    session: Session, workspace_id: str, account_id: str, *, on: date, known_on: date
) -> dict[str, int]:
    """Return currency to MRR of an account on a day, as it was known on ``known_on``.

    A period that has ended counts until its renewal, as in reports and scores.
    """
    values = {
        "workspace_id": workspace_id,
        "account_id": account_id,
        "on": on,
        "known_on": known_on,
        "grace_days": renewals.grace_days(session),
    }
    return {row.currency: row.mrr_cents for row in session.execute(renewals.ACCOUNT_MRR, values)}
