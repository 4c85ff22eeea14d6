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
    lens: FeatureSpec,
) -> list[AccountFeatures]:
    """Describe a set of accounts as of the end of a day, in key order.

    One statement for any number of accounts; reads only what was known on that day.
    """
    session.execute(PLAN_FOR_MANY_ROWS)
    statement = features_statement(
        reach=lens.reach.kind,
        some_users_excluded=has_excluded_users(session, workspace_id),
        traits=bool(lens.traits),
        counts=bool(lens.counts),
    )
    window = timedelta(days=lens.window_days)
    mask = (1 << lens.window_days) - 1
    values: dict[str, Any] = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "as_of": as_of,
        "now_start": as_of - window,
        "before_start": as_of - 2 * window,
        "now_mask": mask,
        "before_mask": mask << lens.window_days,
        "event_names": [event_name for event_name, _ in lens.product.events],
        "feature_keys": [key for _, key in lens.product.events],
        "base_currency": lens.base_currency,
    }
    if lens.reach.kind == "events":
        values["reach_events"] = list(lens.reach.events)
    if lens.traits:
        values["trait_names"] = list(lens.traits)
    if lens.counts:
        values |= _counts(lens.counts, as_of)
    found = [AccountFeatures(*row) for row in session.execute(statement, values)]
    return _engaged(session, workspace_id, found, as_of) if lens.engagement else found


def _engaged(
    session: Session, workspace_id: str, found: Sequence[AccountFeatures], as_of: date
) -> list[AccountFeatures]:
    """Add what is known of tickets, answers and the like at the end of the day."""
    ids = [each.account_id for each in found]
    end = datetime.combine(as_of + timedelta(days=1), time.min, UTC)
    known = load_engagement(session, workspace_id, ids, as_of=as_of, now=end)
    return [
        replace(
            each,
            engagement={
                name: value
                for name, number in ENGAGEMENT_METRICS.items()
                if (value := number(known[each.account_id])) is not None
            },
        )
        for each in found
    ]


def list_default_product_features(
    session: Session, workspace_id: str, *, as_of: date, window_days: int
) -> tuple[str, ...]:
    """Take what at least 3 accounts and 5 % of them do, where nobody has named features."""
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
    found = select(exists().where(User.workspace_id == workspace_id, User.excluded))
    return bool(session.scalar(found))
