"""Load the onboarding of a set of accounts as of a day, with a fixed number of statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.accounts import excluded_users
from app.core.sql import load_sql
from app.engagement.first_event import (
    ONBOARDING_DAYS,
    account_began_on,
    first_event_day,
    load_known_days,
    source_days,
)
from app.engagement.snapshot import NO_PACE, Onboarding, StepPace, StepProgress
from app.engagement.snapshot_query import SnapshotQuery
from app.engagement.summaries import days_in_step
from app.engagement.tables import LoyaltyTier, OnboardingStep

PACE_DAYS = 365

SQL = load_sql(
    __file__,
    first_day_of_use=excluded_users.first_day_of_use("a.account_id"),
    first_day_of_use_then=excluded_users.first_day_of_use("d.account_id"),
    by_excluded_user=excluded_users.is_excluded_user("c.user_id"),
    account_began_on=account_began_on(),
    first_event_day=first_event_day(),
    source_days=source_days(),
)

SettingRow = TypeVar("SettingRow", OnboardingStep, LoyaltyTier)


def list_by_position(
    session: Session, workspace_id: str, table: type[SettingRow]
) -> Sequence[SettingRow]:
    """Return the steps of onboarding in their order, or the loyalty tiers from the lowest up."""
    return session.scalars(
        select(table).where(table.workspace_id == workspace_id).order_by(table.position, table.key)
    ).all()


def load_onboarding(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date
) -> dict[str, Onboarding]:
    """Load onboarding by account; the pace of peers only if an account has steps left."""
    steps = list_by_position(session, workspace_id, OnboardingStep)
    if not steps:
        return {}
    query = SnapshotQuery(session, workspace_id, account_ids, as_of)
    done: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for row in query.rows(SQL.completions):
        done[row.account_id][row.step_key] = row.done_at
    starts = query.rows(SQL.starts, onboarding_days=ONBOARDING_DAYS)
    keys = {step.key for step in steps}
    pace: Mapping[str, StepPace] = {}
    if any(not keys <= done[row.account_id].keys() for row in starts):
        pace = _load_pace(query)
    names = {step.key: step.event_names for step in steps}
    reported_from = load_known_days(
        session, workspace_id, names, as_of=as_of, first_event_on=date.min
    )
    return {
        row.account_id: _onboarding_progress(
            steps,
            done[row.account_id],
            pace,
            row,
            reported_from=reported_from,
            as_of=query.as_of,
        )
        for row in starts
        if row.started_on is not None and row.started_on <= query.as_of
    }


def _load_pace(query: SnapshotQuery) -> dict[str, StepPace]:
    if stored := query.rows(SQL.stored_pace):
        return {key: StepPace(*values) for key, values in stored[0].pace.items()}
    rows = query.rows(SQL.pace, days=PACE_DAYS)
    return {row.step_key: StepPace(row.median_days, row.peers) for row in rows}


def store_pace(session: Session, workspace_id: str, *, as_of: date) -> None:
    """Compute and store the onboarding pace as of a day, unless it or a later one is stored."""
    query = SnapshotQuery(session, workspace_id, (), as_of)
    query.execute(SQL.store_pace, days=PACE_DAYS)


def _onboarding_progress(
    steps: Sequence[OnboardingStep],
    done: Mapping[str, datetime],
    pace: Mapping[str, StepPace],
    start: Row[Any],
    *,
    reported_from: Mapping[str, date],
    as_of: date,
) -> Onboarding:
    """Return the progress of an account.

    It may have done the current step before the sources that report this step began.
    """
    progress = [
        StepProgress(
            step.key,
            step.name,
            step.target_days,
            done.get(step.key),
            pace.get(step.key, NO_PACE).median_days,
            pace.get(step.key, NO_PACE).peers,
        )
        for step in steps
    ]
    current = next((n for n, step in enumerate(progress) if step.done_at is None), len(steps))
    earlier = [step.done_at for step in progress[:current] if step.done_at]
    known_from = start.known_from
    if current < len(steps):
        current_from = reported_from[steps[current].key]
        if current_from > max(start.started_on, known_from or date.min):
            known_from = current_from
    known_since = max(start.started_on, known_from or date.min)
    return Onboarding(
        start.started_on,
        progress,
        days_in_step(earlier, known_since, as_of),
        known_from,
        is_known=start.began_long_before is not True,
    )
