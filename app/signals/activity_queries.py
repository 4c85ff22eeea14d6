"""Sum the use of accounts in half a year (26 weeks), once a day and whenever it changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from sqlalchemy import TextClause, func, select
from sqlalchemy.orm import Session

from app.accounts.tables import User
from app.core.sql import load_sql
from app.features.queries import (
    PLAN_FOR_FEW_ROWS,
    PLAN_FOR_MANY_ROWS,
    REACH_COUNTERS,
    WITHOUT_EXCLUDED_USERS,
)
from app.features.values import ReachSource
from app.signals.activity import ActivityRow
from app.signals.inputs import HALF_YEAR_DAYS, QUARTER_DAYS, RECENT_DAYS, SPAN_DAYS, SPANS
from app.signals.tables import AccountActivity

SQL = load_sql(__file__)
MASK_SPANS = 4
"""A mask has one bit for each day of four spans, which a bigint holds."""
MASK_DAYS = MASK_SPANS * SPAN_DAYS
MASKS = range(-(-SPANS // MASK_SPANS))
SPAN_MASK = (1 << SPAN_DAYS) - 1
AGE = "CAST(:through AS date) - u.day"
DAYS_BY_MASK = ",\n".join(
    f"bit_or(CAST(1 AS bigint) << ({AGE} - {n * MASK_DAYS}))"
    f" FILTER (WHERE ({AGE}) / {MASK_DAYS} = {n}) AS days_{n}"
    for n in MASKS
)
DAYS_OF_PERSON = ",\n".join(f"coalesce(bit_or(t.days_{n}), 0) AS days_{n}" for n in MASKS)
ACTIVE_DAYS = " + ".join(f"bit_count(CAST(days_{n} AS bit(64)))" for n in MASKS)
USERS_BY_SPAN = ", ".join(
    f"count(*) FILTER (WHERE days_{span // MASK_SPANS}"
    f" & {SPAN_MASK << SPAN_DAYS * (span % MASK_SPANS)} <> 0)"
    for span in range(SPANS)
)


@dataclass(frozen=True, slots=True)
class HalfYear:
    """Which half-year of use to sum. ``through``: its last day, which must be over.

    Only use that was known on ``as_of`` counts. ``champions``: users with this role, by account.
    """

    through: date
    as_of: date
    reach: ReachSource
    champions: Mapping[str, Collection[str]] = field(default_factory=dict)


def load_activity(
    session: Session, workspace_id: str, account_ids: Sequence[str], half_year: HalfYear
) -> dict[str, ActivityRow]:
    """Sum the use of accounts; accounts without use are left out."""
    excluded = _excluded_users(session, workspace_id)
    return _sum_use(
        session, workspace_id, account_ids, half_year, form="select_activity", excluded=excluded
    )


def refresh_activity(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    half_year: HalfYear,
    *,
    unchanged: Collection[str],
) -> dict[str, ActivityRow]:
    """Return what ``load_activity`` returns, and store it; reuse stored rows that are still right.

    ``unchanged``: accounts for which, since they were last stored, no use up to ``through`` has
    arrived, no champion was named and no anonymous id was bound to a user. Their stored row is
    reused if it is of this half-year and was counted with the same reach source and the same
    excluded users. The caller holds the locks on the score rows of the accounts.
    """
    excluded = _excluded_users(session, workspace_id)
    rows = session.execute(
        select(AccountActivity.account_id, AccountActivity.activity).where(
            AccountActivity.workspace_id == workspace_id,
            AccountActivity.account_id.in_([key for key in account_ids if key in unchanged]),
            AccountActivity.through == half_year.through,
            AccountActivity.counted_as == _counted_as(half_year.reach, excluded),
        )
    )
    activity = {row.account_id: row.activity for row in rows}
    if others := [key for key in account_ids if key not in activity]:
        activity |= _sum_use(
            session, workspace_id, others, half_year, form="upsert_activity", excluded=excluded
        )
        session.execute(PLAN_FOR_FEW_ROWS)
    return {key: row for key, row in activity.items() if row is not None}


def _excluded_users(session: Session, workspace_id: str) -> str:
    """Return a fingerprint of the set of excluded users; empty where there are none."""
    users = select(func.count(), func.sum(func.hashtext(User.user_id)))
    of_workspace = users.where(User.workspace_id == workspace_id, User.excluded)
    count, digest = session.execute(of_workspace).one()
    return f"{count} people, {digest}" if count else ""


def _counted_as(reach: ReachSource, excluded: str) -> str:
    return "\n".join([f"{SPANS} spans", reach.kind, *reach.events, excluded])


def _sum_use(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    half_year: HalfYear,
    *,
    form: str,
    excluded: str,
) -> dict[str, ActivityRow]:
    if not account_ids:
        return {}
    session.execute(PLAN_FOR_MANY_ROWS)
    statement = _activity_statement(form, half_year.reach.kind, has_excluded_users=bool(excluded))
    named = [(key, user_id) for key, users in half_year.champions.items() for user_id in users]
    values = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "as_of": half_year.as_of,
        "through": half_year.through,
        "settled": half_year.through - timedelta(days=RECENT_DAYS),
        "quarter": half_year.through - timedelta(days=QUARTER_DAYS),
        "since": half_year.through - timedelta(days=HALF_YEAR_DAYS),
        "named_in": [account_id for account_id, _ in named],
        "named": [user_id for _, user_id in named],
        "span_days": SPAN_DAYS,
        "spans": SPANS,
        "counted_as": _counted_as(half_year.reach, excluded),
        "reach_events": list(half_year.reach.events),
    }
    return {row.account_id: row.activity for row in session.execute(statement, values)}


@cache
def _activity_statement(form: str, reach: str, *, has_excluded_users: bool) -> TextClause:
    """Build the statement for one way of counting reach: ids, property or events.

    ``form``: ``select_activity``, or ``upsert_activity`` to store the rows too.
    """
    parts, counter = SQL.sections, REACH_COUNTERS.get(reach)
    return SQL.compose(
        form,
        days_by_mask=DAYS_BY_MASK,
        days_of_person=DAYS_OF_PERSON,
        active_days=ACTIVE_DAYS,
        users=USERS_BY_SPAN,
        reach=parts["reach_by_sum" if counter else "reach_by_ids"],
        counter=counter or "",
        named=parts["named_events"] if reach == "events" else "",
        excluding_users=WITHOUT_EXCLUDED_USERS if has_excluded_users else "",
    )
