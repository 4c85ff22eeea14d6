"""The feature table of accounts as of days, read from the database."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Row, TextClause
from sqlalchemy.orm import Session

from app.accounts.excluded_users import (
    excluded_from,
    first_day_of_use,
    is_excluded_answer,
    is_excluded_user,
    without_excluded_users,
)
from app.accounts.queries import has_excluded_users
from app.accounts.renewals import renewals
from app.core.arrays import Floats, np
from app.core.sql import load_sql
from app.engagement.first_event import ONBOARDING_DAYS, account_began_on, first_event_day
from app.features.days_of_use import DayCounts, DaysOfUse
from app.features.queries import (
    CENTS_IN_BASE_CURRENCY,
    PLAN_FOR_MANY_ROWS,
    REACH_COUNTERS,
)
from app.features.table import ChurnEligibility, FeatureTable, TableSpec, derive_features

SQL = load_sql(
    __file__,
    excluded_from=excluded_from(),
    by_excluded_author=is_excluded_user("t.user_id"),
    by_excluded_person=is_excluded_answer(),
    by_excluded_user=is_excluded_user("c.user_id"),
    account_began_on=account_began_on("w.as_of"),
    first_event_day=first_event_day("w.as_of"),
    renewals=renewals(
        key="n",
        ends_on="known_end",
        is_wanted="p.known_end BETWEEN p.as_of - CAST(:grace_days AS int) AND p.as_of",
    ),
)
AccountDay = tuple[str, date]
"""An account and the day as of whose end it is described."""

BATCH_SIZE, ACCOUNTS_AT_ONCE = 5_000, 1_000
LAPSE_DAYS = 28
"""A pause of payment up to this long does not start the tenure again."""


def load_feature_table(
    session: Session, workspace_id: str, account_days: Sequence[AccountDay], *, spec: TableSpec
) -> FeatureTable:
    """Return the features of accounts, each as of the end of a day, in the order given.

    Reads only what was known on the day. Serving and training both use this function.
    """
    session.execute(PLAN_FOR_MANY_ROWS)
    excludes = has_excluded_users(session, workspace_id)
    statement = _counts_statement(reach=spec.reach.kind, has_excluded_users=excludes)
    names = spec.names
    table = FeatureTable(
        [account_id for account_id, _ in account_days],
        [day for _, day in account_days],
        names,
        np.full((len(account_days), len(names)), np.nan),
        ChurnEligibility.empty(len(account_days)),
    )
    if not account_days:
        return table
    by_day = _count_days(session, workspace_id, account_days, spec, has_excluded_users=excludes)
    for positions in _chunks(table.days):
        values = _values(workspace_id, table, positions, spec)
        of_rows = {name: counts[positions] for name, counts in by_day.items()}
        _fill(table, positions, of_rows, session.execute(statement, values).all(), spec)
    return table


def _count_days(
    session: Session,
    workspace_id: str,
    account_days: Sequence[AccountDay],
    spec: TableSpec,
    *,
    has_excluded_users: bool,
) -> Mapping[str, Floats]:
    """Count what is counted by day, of all rows: the usage of an account is read once for them."""
    counts = DayCounts(len(account_days), spec.silence_days)
    rows_of_account: defaultdict[str, list[int]] = defaultdict(list)
    for row, (account_id, _) in enumerate(account_days):
        rows_of_account[account_id].append(row)
    statement = _days_statement(has_excluded_users=has_excluded_users)
    account_ids = sorted(rows_of_account)
    for start in range(0, len(account_ids), ACCOUNTS_AT_ONCE):
        batch = account_ids[start : start + ACCOUNTS_AT_ONCE]
        days = [account_days[row][1] for each in batch for row in rows_of_account[each]]
        bounds = {"first_day": min(days), "last_day": max(days)}
        values = {"workspace_id": workspace_id, "account_ids": batch, **bounds}
        for account_id, *arrays in session.execute(statement, values):
            use = DaysOfUse(*(np.array(each) for each in arrays))
            for row in rows_of_account[account_id]:
                counts.add(row, use, account_days[row][1].toordinal())
    return counts.columns()


@cache
def _days_statement(*, has_excluded_users: bool) -> TextClause:
    if not has_excluded_users:
        return SQL.compose("days_of_use", excluded_on=SQL.sections["never"], excluding_users="")
    users = without_excluded_users("DATE '-infinity'")
    return SQL.compose("days_of_use", excluding_users=users)


@cache
def _counts_statement(*, reach: str, has_excluded_users: bool) -> TextClause:
    """Build the statement for one way of counting reach: ids, property or events."""
    parts, counter = SQL.sections, REACH_COUNTERS.get(reach)
    first_day = first_day_of_use("s.account_id", "s.as_of")
    return SQL.compose(
        "counts",
        sums=parts["reach_sums"] if counter else "",
        counter=counter or "",
        reach_by_name=parts["reach_by_event_name"] if counter else "",
        reach_of_events=parts["reach_of_events"] if counter else "",
        of_events=parts["of_events"],
        counted=parts["of_reach_events" if reach == "events" else "of_events"],
        reach=parts["reach_by_sum" if counter else "reach_by_ids"],
        excluding_users=without_excluded_users("w.as_of") if has_excluded_users else "",
        first_day=first_day if has_excluded_users else "s.first_day",
        cents=CENTS_IN_BASE_CURRENCY,
    )


def _chunks(days: Sequence[date]) -> Iterator[list[int]]:
    """Yield row positions by quarter: a statement reads its usage and that of 84 days before."""
    order = sorted(range(len(days)), key=days.__getitem__)
    for _, quarter in groupby(order, key=lambda n: (days[n].year, (days[n].month - 1) // 3)):
        positions = list(quarter)
        for start in range(0, len(positions), BATCH_SIZE):
            yield positions[start : start + BATCH_SIZE]


def _values(
    workspace_id: str, table: FeatureTable, positions: Sequence[int], spec: TableSpec
) -> dict[str, Any]:
    days = [table.days[position] for position in positions]
    return {
        "workspace_id": workspace_id,
        "account_ids": [table.account_ids[position] for position in positions],
        "days": days,
        "first_day": min(days),
        "last_day": max(days),
        "product_events": [event_name for event_name, _ in spec.product.events],
        "product_features": [key for _, key in spec.product.events],
        "base_currency": spec.base_currency,
        "silence_days": spec.silence_days,
        "onboarding_days": ONBOARDING_DAYS,
        "lapse_days": LAPSE_DAYS,
        "grace_days": spec.grace_days,
        "reach_events": list(spec.reach.events),
    }


def _fill(
    table: FeatureTable,
    positions: Sequence[int],
    by_day: Mapping[str, Floats],
    rows: Sequence[Row[Any]],
    spec: TableSpec,
) -> None:
    """Write the rows of one statement, in the order of ``positions``, into the table."""
    names = rows[0]._fields
    columns: Mapping[str, Sequence[Any]] = dict(zip(names, zip(*rows, strict=True), strict=True))
    others = {name: _floats(col) for name, col in columns.items() if name not in LIST_COLUMNS}
    features = derive_features({**by_day, **others})
    table.x[positions] = np.hstack([features, _by_name(columns, spec.event_names)])
    table.eligibility.pays[positions] = columns["pays"]
    table.eligibility.has_paid[positions] = columns["has_paid"]
    table.eligibility.excluded[positions] = columns["excluded"]
    table.eligibility.mrr_cents[positions] = _floats(columns["mrr_cents"])


LIST_COLUMNS = ("event_names", "event_counts")


def _floats(column: Sequence[Any]) -> Floats:
    return np.array(column, dtype=float)


def _by_name(columns: Mapping[str, Sequence[Any]], event_names: Sequence[str]) -> Floats:
    """Return the events of 84 days as an array of rows by event names."""
    positions = {name: position for position, name in enumerate(event_names)}
    counts = np.zeros((len(columns["event_names"]), len(event_names)))
    for row, (names, row_counts) in enumerate(
        zip(*(columns[name] for name in LIST_COLUMNS), strict=True)
    ):
        for name, count in zip(names or (), row_counts or (), strict=True):
            if name in positions:
                counts[row, positions[name]] = count
    return counts
