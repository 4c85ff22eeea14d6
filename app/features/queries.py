"""The features of accounts as of a day, read from the database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.accounts.tables import User
from app.engagement.queries import load_engagement
from app.engagement.snapshot import ENGAGEMENT_METRICS
from app.features.statements import (
    DEFAULT_PRODUCT_FEATURES,
    PLAN_FOR_MANY_ROWS,
    features_statement,
)
from app.features.values import AccountFeatures, EventCount, FeatureSpec


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
    statement = features_statement(
        reach=spec.reach.kind,
        has_excluded_users=has_excluded_users(session, workspace_id),
        traits=bool(spec.traits),
        counts=bool(spec.counts),
    )
    window = timedelta(days=spec.window_days)
    mask = (1 << spec.window_days) - 1
    values: dict[str, Any] = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "as_of": as_of,
        "now_start": as_of - window,
        "before_start": as_of - 2 * window,
        "now_mask": mask,
        "before_mask": mask << spec.window_days,
        "event_names": [event_name for event_name, _ in spec.product.events],
        "feature_keys": [key for _, key in spec.product.events],
        "base_currency": spec.base_currency,
    }
    if spec.reach.kind == "events":
        values["reach_events"] = list(spec.reach.events)
    if spec.traits:
        values["trait_names"] = list(spec.traits)
    if spec.counts:
        values |= _counts(spec.counts, as_of)
    accounts = [AccountFeatures(*row) for row in session.execute(statement, values)]
    return _with_engagement(session, workspace_id, accounts, as_of) if spec.engagement else accounts


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
    return tuple(session.scalars(DEFAULT_PRODUCT_FEATURES, values))


def _counts(counts: Sequence[EventCount], as_of: date) -> dict[str, Any]:
    named = [(count.key, name, count.days) for count in counts for name in count.events]
    keys, names, days = zip(*named, strict=True)
    since = as_of - timedelta(days=max(days))
    return {
        "count_keys": list(keys),
        "count_names": list(names),
        "count_days": list(days),
        "count_since": since,
    }


def has_excluded_users(session: Session, workspace_id: str) -> bool:
    statement = select(exists().where(User.workspace_id == workspace_id, User.excluded))
    return bool(session.scalar(statement))
