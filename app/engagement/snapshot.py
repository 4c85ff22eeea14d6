"""The engagement of an account as of a day, read by signals, scorecards, reviews and the model.

Everything is as it was known on that day. Waiting times count until the end of the day, or until
now if the day is not over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

DETRACTOR_UPTO, PROMOTER_FROM = 6, 9


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket that is not closed. ``waiting_minutes``: without a first reply; 0 if it has one.

    ``reply_due_at``: when the first reply is or was due; None if it has one.
    """

    ticket_id: str
    user_id: str | None
    channel: str | None
    priority: str | None
    opened_at: datetime
    replied_at: datetime | None
    waiting_minutes: float
    standard_minutes: int
    reply_due_at: datetime | None = None

    @property
    def is_late(self) -> bool:
        return self.waiting_minutes > self.standard_minutes


@dataclass(frozen=True, slots=True)
class TicketCounts:
    """Tickets opened in a window of days and in the window before, and their first replies.

    ``late``: the first reply took longer than the standard, or is overdue.
    """

    opened: int = 0
    opened_before: int = 0
    late: int = 0
    first_reply_minutes: float | None = None
    """The median over tickets with a reply."""
    late_since: datetime | None = None
    """When the first reply to the earliest late ticket was due."""
    is_newest_late: bool = False
    """Of the tickets that have a reply or are late: whether the newest one is late."""


@dataclass(frozen=True, slots=True)
class SurveyAnswer:
    response_id: str
    user_id: str | None
    score: float
    at: datetime


@dataclass(frozen=True, slots=True)
class SurveyAnswers:
    """The latest answer of each person within 90 days, newest first."""

    responses: Sequence[SurveyAnswer] = ()

    @property
    def mean(self) -> float | None:
        scores = [each.score for each in self.responses]
        return sum(scores) / len(scores) if scores else None

    @property
    def detractors(self) -> Sequence[SurveyAnswer]:
        return [each for each in self.responses if each.score <= DETRACTOR_UPTO]

    @property
    def passives(self) -> Sequence[SurveyAnswer]:
        return [r for r in self.responses if DETRACTOR_UPTO < r.score < PROMOTER_FROM]

    @property
    def promoters(self) -> Sequence[SurveyAnswer]:
        return [each for each in self.responses if each.score >= PROMOTER_FROM]


@dataclass(frozen=True, slots=True)
class Feedback:
    """A complaint, request or praise. ``resolved_at`` None: not resolved yet.

    ``notified_at``: when the person was informed of the outcome, by a message.
    """

    feedback_id: str
    user_id: str | None
    kind: str
    topic: str | None
    product_feature: str | None
    owner: str | None
    due_on: date | None
    status: str
    at: datetime
    resolved_at: datetime | None
    notified_at: datetime | None
    age_days: int


@dataclass(frozen=True, slots=True)
class StepPace:
    """Days from one onboarding step to the next: the median of ``peers`` accounts."""

    median_days: float | None = None
    peers: int = 0


NO_PACE = StepPace()


@dataclass(frozen=True, slots=True)
class StepProgress:
    """An onboarding step of an account. ``done_at`` None: not done yet.

    ``peers_median_days``: the median time of ``peers`` accounts that did it in the last year.
    """

    key: str
    name: str
    target_days: int | None
    done_at: datetime | None
    peers_median_days: float | None
    peers: int


@dataclass(frozen=True, slots=True)
class Onboarding:
    """The onboarding of an account. ``days_in_step``: since the previous step or the start.

    ``known_from``: the day of the first event that was ever received, if the account is older: it
    is unknown what it did before. ``is_known``: False if it is so much older that nothing can be
    told from steps that are not done.
    """

    started_on: date
    steps: Sequence[StepProgress]
    days_in_step: int
    known_from: date | None = None
    is_known: bool = True

    @property
    def current(self) -> StepProgress | None:
        """The first step that is not done; None if all are done or if that is unknown."""
        missing = (step for step in self.steps if step.done_at is None)
        return next(missing, None) if self.is_known else None

    @property
    def done_share(self) -> float | None:
        """The share of the steps that are done; None if it is unknown."""
        done = sum(step.done_at is not None for step in self.steps)
        return done / len(self.steps) if self.is_known or done == len(self.steps) else None


class GoalStatus(StrEnum):
    ON_TRACK = "on_track"
    OFF_TRACK = "off_track"
    ACHIEVED = "achieved"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class OpenGoal:
    """A goal that is not closed."""

    goal_id: str
    title: str
    metric: str
    baseline: float
    target: float
    starts_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class GoalProgress(OpenGoal):
    """The progress of a goal. ``share``: 0 at the baseline, 1 at the target; None: unknown."""

    value: float | None
    share: float | None
    progress: GoalStatus
    currency: str | None = None
    """The currency of the numbers, if they are a price."""


@dataclass(frozen=True, slots=True)
class TierPosition:
    """The highest tier of an account, if any, and the distance to the next one."""

    key: str | None
    name: str | None
    next_key: str | None
    next_name: str | None
    next_metric: str | None
    next_threshold: float | None
    next_value: float | None
    """The account's value of the next tier's metric."""

    @property
    def missing(self) -> float | None:
        if self.next_threshold is None or self.next_value is None:
            return None
        return self.next_threshold - self.next_value


@dataclass(frozen=True, slots=True)
class AffectingIncident:
    """An incident that affected an account, and is open or ended in the last 30 days."""

    incident_id: str
    title: str | None
    declared_at: datetime
    ended_at: datetime | None
    apology_sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Engagement:
    account_id: str
    open_tickets: Sequence[OpenTicket] = ()
    """Oldest first."""
    tickets: Mapping[int, TicketCounts] = field(default_factory=dict)
    """By the length of the window in days: 7, 28, 90."""
    nps: SurveyAnswers = SurveyAnswers()
    csat: SurveyAnswers = SurveyAnswers()
    unanswered: Sequence[Feedback] = ()
    """Feedback that is not resolved, oldest first."""
    resolved: Sequence[Feedback] = ()
    """Feedback resolved in the last 90 days, newest first."""
    onboarding: Onboarding | None = None
    """None: the workspace has no steps, or the account has not started."""
    goals: Sequence[GoalProgress] = ()
    tier: TierPosition | None = None
    """None: the workspace has no tiers."""
    incidents: Sequence[AffectingIncident] = ()
    champions: Sequence[str] = ()
    sponsors: Sequence[str] = ()

    def next_reply_due(self, now: datetime) -> datetime | None:
        """Return the earliest time at which a first reply becomes overdue; None: none waits."""
        due = (each.reply_due_at for each in self.open_tickets)
        return min((at for at in due if at is not None and at >= now), default=None)

    @property
    def shipped_requests(self) -> Sequence[Feedback]:
        return [f for f in self.resolved if f.kind == "request" and f.status == "shipped"]


def _goals_on_track(engagement: Engagement) -> float | None:
    known = [g.progress for g in engagement.goals if g.progress is not GoalStatus.UNKNOWN]
    return sum(each is not GoalStatus.OFF_TRACK for each in known) / len(known) if known else None


def _onboarding_share(engagement: Engagement) -> float | None:
    return engagement.onboarding.done_share if engagement.onboarding else None


ENGAGEMENT_METRICS: Mapping[str, Callable[[Engagement], float | None]] = {
    "nps": lambda engagement: engagement.nps.mean,
    "csat": lambda engagement: engagement.csat.mean,
    "open_tickets": lambda engagement: float(len(engagement.open_tickets)),
    "tickets_90d": lambda engagement: float(engagement.tickets[90].opened),
    "late_replies_28d": lambda engagement: float(engagement.tickets[28].late),
    "unanswered_feedback": lambda engagement: float(len(engagement.unanswered)),
    "onboarding_share": _onboarding_share,
    "goals_on_track": _goals_on_track,
}
"""Metrics that a scorecard can measure. None: unknown."""
