"""The features of accounts as of a day, read from the database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from sqlalchemy import TextClause
from sqlalchemy.orm import Session

from app.accounts.excluded_users import first_day_of_use, without_excluded_users
from app.accounts.queries import has_excluded_users
from app.accounts.renewals import ENDED_LATELY, renewals
from app.core.sql import load_sql
from app.engagement.queries import load_engagement
from app.engagement.snapshot import ENGAGEMENT_METRICS
from app.features.values import AccountFeatures, FeatureSpec

WITHOUT_EXCLUDED_USERS = without_excluded_users()
SQL = load_sql(
    __file__,
    without_excluded_users=WITHOUT_EXCLUDED_USERS,
    renewals=renewals(is_wanted=ENDED_LATELY),
)
PLAN_FOR_MANY_ROWS, PLAN_FOR_FEW_ROWS = SQL.plan_for_many_rows, SQL.plan_for_few_rows
CENTS_IN_BASE_CURRENCY = SQL.sections["cents_in_base_currency"]
REACH_COUNTERS = {"property": "quantity", "events": "events"}
"""The column of daily usage that a kind of reach sums; the kind ``ids`` counts ids instead."""


def load_account_features(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    *,
    as_of: date,
    spec: FeatureSpec,
) -> list[AccountFeatures]:
    """Return the features of a set of accounts as of the end of a day, in key order.

    Runs one statement for any number of accounts and reads only what was known on that day.
    """
    session.execute(PLAN_FOR_MANY_ROWS)
    statement = _features_statement(
        reach=spec.reach.kind,
        has_excluded_users=has_excluded_users(session, workspace_id),
        traits=bool(spec.traits),
        counts=bool(spec.counts),
    )
    window = timedelta(days=spec.window_days)
    mask = (1 << spec.window_days) - 1
    counts = [(count.key, name, count.days) for count in spec.counts for name in count.events]
    values = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "as_of": as_of,
        "now_start": as_of - window,
        "grace_days": spec.grace_days,
        "before_start": as_of - 2 * window,
        "now_mask": mask,
        "before_mask": mask << spec.window_days,
        "event_names": [event_name for event_name, _ in spec.product.events],
        "feature_keys": [key for _, key in spec.product.events],
        "base_currency": spec.base_currency,
        "notice_days": spec.notice_days,
        "reach_events": list(spec.reach.events),
        "trait_names": list(spec.traits),
        "count_keys": [key for key, _, _ in counts],
        "count_names": [name for _, name, _ in counts],
        "count_days": [days for _, _, days in counts],
        "count_since": as_of - timedelta(days=max((days for _, _, days in counts), default=0)),
    }
    accounts = [AccountFeatures(*row) for row in session.execute(statement, values)]
    return _with_engagement(session, workspace_id, accounts, as_of) if spec.engagement else accounts


@cache
def _features_statement(
    *, reach: str, has_excluded_users: bool, traits: bool, counts: bool
) -> TextClause:
    """Build the statement for one way of counting reach: ids, property or events.

    ``traits``, ``counts``: whether the feature spec has traits, and event counts.
    """
    parts, counter = SQL.sections, REACH_COUNTERS.get(reach)
    return SQL.compose(
        "features",
        sums=parts["reach_sums"] if counter else "",
        counter=counter or "",
        reach=parts["reach_by_sum" if counter else "reach_by_ids"],
        only_named=parts["only_reach_events"] if reach == "events" else "",
        excluding_users=WITHOUT_EXCLUDED_USERS if has_excluded_users else "",
        first_day=first_day_of_use("s.account_id") if has_excluded_users else "s.first_day",
        traits=parts["selected_traits"] if traits else "CAST('{}' AS jsonb)",
        event_counts=parts["event_counts"] if counts else "",
        counts="coalesce(c.counts, '{}')" if counts else "CAST('{}' AS jsonb)",
        join_event_counts=parts["join_event_counts"] if counts else "",
    )


def _with_engagement(
    session: Session, workspace_id: str, accounts: Sequence[AccountFeatures], as_of: date
) -> list[AccountFeatures]:
    """Add the metrics of tickets, survey answers, onboarding and goals as of the end of the day."""
    ids = [account.account_id for account in accounts]
    end = datetime.combine(as_of + timedelta(days=1), time.min, UTC)
    engagement = load_engagement(session, workspace_id, ids, as_of=as_of, now=end)
    return [
        replace(
            account,
            engagement={
                name: value
                for name, metric in ENGAGEMENT_METRICS.items()
                if (value := metric(engagement[account.account_id])) is not None
            },
        )
        for account in accounts
    ]


def list_default_product_features(
    session: Session, workspace_id: str, *, as_of: date, window_days: int
) -> tuple[str, ...]:
    """Return the event names that stand in for product features where none are configured.

    These are the events that at least 3 accounts and at least 5 % of the active accounts sent in
    the last two windows, except page views; the most widespread first, 200 at most.
    """
    since = as_of - timedelta(days=2 * window_days)
    values = {"workspace_id": workspace_id, "since": since, "as_of": as_of}
    return tuple(session.scalars(SQL.default_product_features, values))
