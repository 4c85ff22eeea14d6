from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

import orjson
from sqlalchemy import Result, Row, TextClause, select
from sqlalchemy.orm import Session

from app.engagement import snapshot_statements
from app.engagement.snapshot import (
    NO_PACE,
    AffectingIncident,
    Engagement,
    Feedback,
    GoalProgress,
    Onboarding,
    OpenGoal,
    StepPace,
    StepProgress,
    SurveyAnswer,
    SurveyAnswers,
    TierPosition,
)
from app.engagement.summaries import (
    TicketState,
    TierLevel,
    count_tickets,
    days_in_step,
    goal_progress,
    list_open_tickets,
    tier_position,
)
from app.engagement.tables import Goal, LoyaltyTier, OnboardingStep
from app.workspaces.queries import get_workspace

TICKET_DAYS, SURVEY_DAYS, RESOLVED_DAYS, INCIDENT_DAYS, PACE_DAYS = 180, 90, 90, 30, 365
METRIC_DAYS = 28
DAY = timedelta(days=1)

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class SnapshotQuery:
    """Whose accounts are looked at, and from where."""

    session: Session
    workspace_id: str
    account_ids: Sequence[str]
    as_of: date
    until: datetime

    @property
    def day_end(self) -> datetime:
        return datetime.combine(self.as_of + DAY, time.min, UTC)

    def rows(self, statement: TextClause, **values: object) -> Sequence[Row[Any]]:
        return self.execute(statement, **values).all()

    def execute(self, statement: TextClause, **values: object) -> Result[Any]:
        if days := values.pop("days", None):
            values["since"] = self.day_end - timedelta(days=int(str(days)))
        known = {
            "workspace_id": self.workspace_id,
            "account_ids": list(self.account_ids),
            "as_of": self.as_of,
            "day_end": self.day_end,
        }
        return self.session.execute(statement, known | values)


def load_engagement(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    *,
    as_of: date,
    now: datetime,
) -> dict[str, Engagement]:
    """Say how each of a set of accounts stands with us as of a day, as it was known on it.

    A handful of statements for any number of accounts. What waits is counted until ``now``, or
    until the end of a day that is over.
    """
    end = datetime.combine(as_of + DAY, time.min, UTC)
    view = SnapshotQuery(session, workspace_id, account_ids, as_of, min(end, now))
    tickets = _records_by_account(view, snapshot_statements.TICKETS, TicketState, days=TICKET_DAYS)
    feedback = _records_by_account(view, snapshot_statements.FEEDBACK, Feedback, days=RESOLVED_DAYS)
    incidents = _records_by_account(
        view, snapshot_statements.INCIDENTS, AffectingIncident, days=INCIDENT_DAYS
    )
    surveys, onboarding, roles = _load_surveys(view), _load_onboarding(view), _load_roles(view)
    goals, tiers = _load_goals_and_tiers(view)
    return {
        account_id: Engagement(
            account_id,
            open_tickets=list_open_tickets(tickets[account_id], view.until),
            tickets=count_tickets(tickets[account_id], as_of, view.until),
            nps=surveys.get((account_id, "nps"), SurveyAnswers()),
            csat=surveys.get((account_id, "csat"), SurveyAnswers()),
            unanswered=[each for each in feedback[account_id] if each.resolved_at is None],
            resolved=[each for each in reversed(feedback[account_id]) if each.resolved_at],
            onboarding=onboarding.get(account_id),
            goals=goals[account_id],
            tier=tiers.get(account_id),
            incidents=incidents[account_id],
            champions=roles[account_id, "champion"],
            sponsors=roles[account_id, "sponsor"],
        )
        for account_id in account_ids
    }


def _records_by_account(
    view: SnapshotQuery, statement: TextClause, make: Callable[..., Record], *, days: int
) -> Mapping[str, list[Record]]:
    """Make one thing of each row but its first column, which names the account."""
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for row in view.rows(statement, days=days):
        found[row[0]].append(make(*row[1:]))
    return found


def _load_surveys(view: SnapshotQuery) -> dict[tuple[str, str], SurveyAnswers]:
    found: defaultdict[tuple[str, str], list[SurveyAnswer]] = defaultdict(list)
    for row in view.rows(snapshot_statements.RESPONSES, days=SURVEY_DAYS):
        found[row.account_id, row.kind].append(
            SurveyAnswer(row.response_id, row.user_id, row.score, row.at)
        )
    return {key: SurveyAnswers(responses) for key, responses in found.items()}


def list_onboarding_steps(session: Session, workspace_id: str) -> Sequence[OnboardingStep]:
    """In their order."""
    return session.scalars(
        select(OnboardingStep)
        .where(OnboardingStep.workspace_id == workspace_id)
        .order_by(OnboardingStep.position, OnboardingStep.key)
    ).all()


def _load_onboarding(view: SnapshotQuery) -> dict[str, Onboarding]:
    """Peers are asked for only if somebody has not done all steps."""
    steps = list_onboarding_steps(view.session, view.workspace_id)
    if not steps:
        return {}
    done: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for row in view.rows(snapshot_statements.COMPLETIONS):
        done[row.account_id][row.step_key] = row.done_at
    started = {row.account_id: row.started_on for row in view.rows(snapshot_statements.STARTS)}
    keys = {step.key for step in steps}
    pace: Mapping[str, StepPace] = {}
    if any(not keys <= done[account_id].keys() for account_id in started):
        pace = _load_pace(view)
    return {
        account_id: _onboarding_progress(steps, done[account_id], pace, started_on, view.as_of)
        for account_id, started_on in started.items()
        if started_on is not None and started_on <= view.as_of
    }


def _load_pace(view: SnapshotQuery) -> dict[str, StepPace]:
    if kept := view.rows(snapshot_statements.STORED_PACE):
        return {key: StepPace(*said) for key, said in kept[0].said.items()}
    rows = view.rows(snapshot_statements.PACE, days=PACE_DAYS)
    return {row.step_key: StepPace(row.median_days, row.peers) for row in rows}


def store_pace(session: Session, workspace_id: str, *, as_of: date) -> None:
    """Work out the pace of a day, if it is the newest and nobody has yet, and keep it."""
    end = datetime.combine(as_of + DAY, time.min, UTC)
    SnapshotQuery(session, workspace_id, (), as_of, end).execute(
        snapshot_statements.STORE_PACE, days=PACE_DAYS
    )


def _onboarding_progress(
    steps: Sequence[OnboardingStep],
    done: Mapping[str, datetime],
    pace: Mapping[str, StepPace],
    started_on: date,
    as_of: date,
) -> Onboarding:
    standings = [
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
    current = next((n for n, step in enumerate(standings) if step.done_at is None), len(steps))
    earlier = [step.done_at for step in standings[:current] if step.done_at]
    return Onboarding(started_on, standings, days_in_step(earlier, started_on, as_of))


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """A metric of an account. ``key`` tells the metric apart from others of the account."""

    account_id: str
    metric: str
    event_names: tuple[str, ...]
    trait: str | None


def list_open_goals(
    session: Session, workspace_id: str, account_ids: Collection[str], as_of: date
) -> Sequence[Goal]:
    """Those that were known and not closed on a day, by due day."""
    return session.scalars(
        select(Goal)
        .where(
            Goal.workspace_id == workspace_id,
            Goal.account_id.in_(account_ids),
            Goal.known_on <= as_of,
            Goal.closed_on.is_(None) | (Goal.closed_on > as_of),
        )
        .order_by(Goal.account_id, Goal.due_on, Goal.goal_id)
    ).all()


def list_tiers(session: Session, workspace_id: str) -> Sequence[LoyaltyTier]:
    """In their order."""
    return session.scalars(
        select(LoyaltyTier)
        .where(LoyaltyTier.workspace_id == workspace_id)
        .order_by(LoyaltyTier.position, LoyaltyTier.key)
    ).all()


def _load_goals_and_tiers(
    view: SnapshotQuery,
) -> tuple[Mapping[str, list[GoalProgress]], dict[str, TierPosition]]:
    wanted = list_open_goals(view.session, view.workspace_id, view.account_ids, view.as_of)
    ladder = list_tiers(view.session, view.workspace_id)
    values = _load_metric_values(view, wanted, ladder)
    found: defaultdict[str, list[GoalProgress]] = defaultdict(list)
    for goal in wanted:
        known = OpenGoal(*(getattr(goal, field.name) for field in fields(OpenGoal)))
        value = values.get(_metric_query(goal.account_id, goal))
        found[goal.account_id].append(goal_progress(known, value, view.as_of))
    rungs = [TierLevel(tier.key, tier.name, tier.metric, tier.threshold) for tier in ladder]
    standings = {
        account_id: tier_position(
            rungs, {tier.key: values.get(_metric_query(account_id, tier)) for tier in ladder}
        )
        for account_id in (view.account_ids if ladder else ())
    }
    return found, standings


def _load_metric_values(
    view: SnapshotQuery, wanted: Iterable[Goal], ladder: Sequence[LoyaltyTier]
) -> dict[MetricQuery, float | None]:
    asked = {_metric_query(goal.account_id, goal) for goal in wanted}
    asked |= {_metric_query(account_id, tier) for account_id in view.account_ids for tier in ladder}
    return _query_metrics(view, list(asked))


def load_metric_value(
    session: Session, workspace_id: str, asked: MetricQuery, *, as_of: date, now: datetime
) -> float | None:
    """Return a metric over the 28 days up to a day; None: it is not known."""
    view = SnapshotQuery(session, workspace_id, [asked.account_id], as_of, now)
    return _query_metrics(view, [asked]).get(asked)


def _query_metrics(
    view: SnapshotQuery, asked: Sequence[MetricQuery]
) -> dict[MetricQuery, float | None]:
    if not asked:
        return {}
    workspace = get_workspace(view.session, view.workspace_id)
    rows = view.rows(
        snapshot_statements.METRIC_VALUES[workspace.reach],
        asked=orjson.dumps([{"n": n, **asdict(each)} for n, each in enumerate(asked)]).decode(),
        window_start=view.as_of - timedelta(days=METRIC_DAYS),
        base_currency=workspace.base_currency,
        reach_events=workspace.reach_events,
    )
    return {asked[row.n]: row.value for row in rows}


def _metric_query(account_id: str, of: Goal | LoyaltyTier) -> MetricQuery:
    return MetricQuery(account_id, of.metric, tuple(sorted(of.event_names)), of.trait)


def _load_roles(view: SnapshotQuery) -> Mapping[tuple[str, str], list[str]]:
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in view.rows(snapshot_statements.ROLES):
        found[row.account_id, row.role].append(row.user_id)
    return found
