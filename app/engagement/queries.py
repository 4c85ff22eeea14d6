"""Load the engagement of a set of accounts as of a day, with a fixed number of statements."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

import orjson
from sqlalchemy import TextClause
from sqlalchemy.orm import Session

from app.accounts import excluded_users, traits
from app.accounts.renewals import ENDED_LATELY, grace_days, renewals
from app.core.sql import load_sql
from app.engagement import detail_queries
from app.engagement.onboarding_queries import list_by_position, load_onboarding
from app.engagement.reply_standards.service import get_standards
from app.engagement.snapshot import (
    AffectingIncident,
    Engagement,
    Feedback,
    GoalProgress,
    OpenGoal,
    SurveyAnswer,
    SurveyAnswers,
    TierPosition,
)
from app.engagement.snapshot_query import SnapshotQuery
from app.engagement.summaries import (
    TicketState,
    TierLevel,
    count_tickets,
    goal_progress,
    list_open_tickets,
    tier_position,
)
from app.engagement.tables import Goal, LoyaltyTier
from app.workspaces.queries import get_workspace

TICKET_DAYS, SURVEY_DAYS, RESOLVED_DAYS, INCIDENT_DAYS = 180, 90, 90, 30
METRIC_DAYS = 28

SQL = load_sql(
    __file__,
    without_excluded_users=excluded_users.without_excluded_users(),
    by_excluded_author=excluded_users.is_excluded_user("t.user_id"),
    by_excluded_person=excluded_users.is_excluded_answer(),
    trait_time=traits.trait_time("a", "q.trait"),
    by_excluded_giver=excluded_users.is_excluded_user("f.user_id"),
    renewals=renewals(is_wanted=ENDED_LATELY),
)
METRIC_VALUES = {
    name.removeprefix("reached_"): SQL.compose("metric_values", reached=SQL.fill(name))
    for name in ("reached_ids", "reached_property", "reached_events")
}
"""Statement for the values of metrics, by how the workspace counts reach."""

Record = TypeVar("Record")


def load_engagement(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date, now: datetime
) -> dict[str, Engagement]:
    """Return the engagement of accounts as of a day, as it was known on that day.

    The number of statements does not depend on the number of accounts. Waiting times count until
    ``now``, or until the end of a day that is over.
    """
    query = SnapshotQuery(session, workspace_id, account_ids, as_of)
    until = min(query.day_end, now)
    tickets = _load_tickets(query, days=TICKET_DAYS)
    feedback = _records_by_account(query, SQL.feedback, Feedback, days=RESOLVED_DAYS)
    incidents = _records_by_account(query, SQL.incidents, AffectingIncident, days=INCIDENT_DAYS)
    onboarding = load_onboarding(session, workspace_id, account_ids, as_of=as_of)
    surveys, roles = _load_surveys(query), _load_roles(query)
    goals, tiers = _load_goals_and_tiers(query)
    return {
        account_id: Engagement(
            account_id,
            open_tickets=list_open_tickets(tickets[account_id], until),
            tickets=count_tickets(tickets[account_id], as_of, until),
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


def list_tickets(
    session: Session, workspace_id: str, account_id: str, *, since: datetime, until: date
) -> Sequence[TicketState]:
    """Return the tickets opened from ``since`` on, as they were known on the day ``until``."""
    query = SnapshotQuery(session, workspace_id, [account_id], until)
    days = (query.day_end - since).days
    tickets = _load_tickets(query, days=days)[account_id]
    return [each for each in tickets if each.opened_at >= since]


def _load_tickets(query: SnapshotQuery, *, days: int) -> Mapping[str, list[TicketState]]:
    """Return tickets by account. The standards are those of now, also on a past day."""
    standards = get_standards(query.session, query.workspace_id)
    ticket = partial(TicketState, standards=standards)
    return _records_by_account(query, SQL.tickets, ticket, days=days)


def _records_by_account(
    query: SnapshotQuery, statement: TextClause, make: Callable[..., Record], *, days: int
) -> Mapping[str, list[Record]]:
    """Make a record of each row without its first column, the account id; group by account."""
    records: defaultdict[str, list[Record]] = defaultdict(list)
    for row in query.rows(statement, days=days):
        records[row[0]].append(make(*row[1:]))
    return records


def _load_surveys(query: SnapshotQuery) -> dict[tuple[str, str], SurveyAnswers]:
    answers: defaultdict[tuple[str, str], list[SurveyAnswer]] = defaultdict(list)
    for row in query.rows(SQL.responses, days=SURVEY_DAYS):
        answer = SurveyAnswer(row.response_id, row.user_id, row.score, row.at)
        answers[row.account_id, row.kind].append(answer)
    return {key: SurveyAnswers(responses) for key, responses in answers.items()}


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """A metric of an account, with the events or the trait that it counts."""

    account_id: str
    metric: str
    event_names: tuple[str, ...]
    trait: str | None


def _load_goals_and_tiers(
    query: SnapshotQuery,
) -> tuple[Mapping[str, list[GoalProgress]], dict[str, TierPosition]]:
    goals = detail_queries.list_open_goals(
        query.session, query.workspace_id, query.account_ids, query.as_of
    )
    tiers = list_by_position(query.session, query.workspace_id, LoyaltyTier)
    values = _load_metric_values(query, goals, tiers)
    progress: defaultdict[str, list[GoalProgress]] = defaultdict(list)
    currency = get_workspace(query.session, query.workspace_id).base_currency if goals else ""
    for row in goals:
        goal = OpenGoal(*(getattr(row, field.name) for field in fields(OpenGoal)))
        value = values.get(_metric_query(row.account_id, row))
        progress[row.account_id].append(
            goal_progress(goal, value, query.as_of, base_currency=currency)
        )
    levels = [TierLevel(tier.key, tier.name, tier.metric, tier.threshold) for tier in tiers]
    positions = {}
    for account_id in query.account_ids if tiers else ():
        by_tier = {tier.key: values.get(_metric_query(account_id, tier)) for tier in tiers}
        positions[account_id] = tier_position(levels, by_tier)
    return progress, positions


def _load_metric_values(
    query: SnapshotQuery, goals: Iterable[Goal], tiers: Sequence[LoyaltyTier]
) -> dict[MetricQuery, float | None]:
    metrics = {_metric_query(goal.account_id, goal) for goal in goals}
    metrics |= {_metric_query(each, tier) for each in query.account_ids for tier in tiers}
    return _query_metrics(query, list(metrics))


def load_metric_value(
    session: Session, workspace_id: str, metric: MetricQuery, *, as_of: date
) -> float | None:
    """Return the value of a metric over the 28 days up to a day; None if it is unknown."""
    query = SnapshotQuery(session, workspace_id, [metric.account_id], as_of)
    return _query_metrics(query, [metric]).get(metric)


def _query_metrics(
    query: SnapshotQuery, metrics: Sequence[MetricQuery]
) -> dict[MetricQuery, float | None]:
    if not metrics:
        return {}
    workspace = get_workspace(query.session, query.workspace_id)
    numbered = [{"n": n, **asdict(each)} for n, each in enumerate(metrics)]
    rows = query.rows(
        METRIC_VALUES[workspace.reach],
        metrics=orjson.dumps(numbered).decode(),
        window_start=query.as_of - timedelta(days=METRIC_DAYS),
        base_currency=workspace.base_currency,
        reach_events=workspace.reach_events,
        grace_days=grace_days(query.session),
    )
    return {metrics[row.n]: row.value for row in rows}


def _metric_query(account_id: str, row: Goal | LoyaltyTier) -> MetricQuery:
    return MetricQuery(account_id, row.metric, tuple(sorted(row.event_names)), row.trait)


def _load_roles(query: SnapshotQuery) -> Mapping[tuple[str, str], list[str]]:
    users: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in query.rows(SQL.roles):
        users[row.account_id, row.role].append(row.user_id)
    return users
