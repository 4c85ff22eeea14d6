"""Summarize rows of an account: ticket counts, goal progress, position among loyalty tiers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from statistics import median

from app.engagement.reply_standards.standards import MINUTE, ReplyStandards
from app.engagement.snapshot import (
    GoalProgress,
    GoalStatus,
    OpenGoal,
    OpenTicket,
    TicketCounts,
    TierPosition,
)

WINDOW_DAYS = (7, 28, 90)
ON_TRACK_SHARE = 0.8
"""A goal is on track from this share of the progress that an even pace would have made."""


@dataclass(frozen=True, slots=True)
class TicketState:
    """A ticket as it was known on a day. ``closed_at``: when it was closed last."""

    ticket_id: str
    user_id: str | None
    channel: str | None
    priority: str | None
    opened_at: datetime
    replied_at: datetime | None
    closed_at: datetime | None
    reopened_at: datetime | None
    first_closed_at: datetime | None
    standards: ReplyStandards

    @property
    def is_open(self) -> bool:
        if self.closed_at is None:
            return True
        return self.reopened_at is not None and self.reopened_at > self.closed_at

    @property
    def reply_time(self) -> timedelta:
        """The time within which the first reply is due."""
        return self.standards.reply_time(self.channel, self.priority)

    @property
    def answered_at(self) -> datetime | None:
        """The first reply. Closing a ticket without a reply counts as one."""
        return min((at for at in (self.replied_at, self.first_closed_at) if at), default=None)

    def waited_minutes(self, until: datetime) -> float:
        """Return the minutes from opening to the answer, or to ``until``."""
        return max(((self.answered_at or until) - self.opened_at) / MINUTE, 0.0)

    def is_late(self, until: datetime) -> bool:
        """Return whether the answer came late, or was overdue at ``until``."""
        return self.waited_minutes(until) * MINUTE > self.reply_time


def list_open_tickets(tickets: Collection[TicketState], until: datetime) -> list[OpenTicket]:
    return [
        OpenTicket(
            each.ticket_id,
            each.user_id,
            each.channel,
            each.priority,
            each.opened_at,
            each.replied_at,
            0.0 if each.answered_at else each.waited_minutes(until),
            each.standards.minutes(each.channel, each.priority),
            None if each.answered_at else each.opened_at + each.reply_time,
        )
        for each in tickets
        if each.is_open
    ]


def count_tickets(
    tickets: Collection[TicketState], as_of: date, until: datetime
) -> dict[int, TicketCounts]:
    """Count tickets by the length of the window in days."""
    ages = [((as_of - each.opened_at.date()).days, each) for each in tickets]
    counts = {}
    for days in WINDOW_DAYS:
        within = [each for age, each in ages if age < days]
        answered = [each.waited_minutes(until) for each in within if each.answered_at]
        late = [each for each in within if each.is_late(until)]
        settled = [each for each in within if each.answered_at or each.is_late(until)]
        newest = max(settled, key=attrgetter("opened_at"), default=None)
        counts[days] = TicketCounts(
            opened=len(within),
            opened_before=sum(days <= age < 2 * days for age, _ in ages),
            late=len(late),
            first_reply_minutes=median(answered) if answered else None,
            late_since=min((each.opened_at + each.reply_time for each in late), default=None),
            is_newest_late=newest is not None and newest.is_late(until),
        )
    return counts


def metric_currency(metric: str | None, base_currency: str | None) -> str | None:
    """Return the currency of the numbers of a metric; None: they are no money."""
    return base_currency if metric == "mrr" else None


def goal_progress(
    goal: OpenGoal, value: float | None, as_of: date, *, base_currency: str
) -> GoalProgress:
    share = None if value is None else progress_share(goal.baseline, goal.target, value)
    return GoalProgress(
        **asdict(goal),
        value=value,
        share=share,
        progress=goal_status(goal, share, as_of),
        currency=metric_currency(goal.metric, base_currency),
    )


def progress_share(baseline: float, target: float, value: float) -> float:
    """Return 0 at the baseline and 1 at the target, also if the target is lower."""
    if target == baseline:
        return 1.0 if value >= target else 0.0
    return (value - baseline) / (target - baseline)


def goal_status(goal: OpenGoal, share: float | None, as_of: date) -> GoalStatus:
    """Compare the progress with an even pace; after the due day only the target counts."""
    if share is None:
        return GoalStatus.UNKNOWN
    if share >= 1:
        return GoalStatus.ACHIEVED
    passed = (as_of - goal.starts_on).days / max((goal.due_on - goal.starts_on).days, 1)
    return (
        GoalStatus.ON_TRACK
        if as_of <= goal.due_on and share >= ON_TRACK_SHARE * min(passed, 1)
        else GoalStatus.OFF_TRACK
    )


@dataclass(frozen=True, slots=True)
class TierLevel:
    key: str
    name: str
    metric: str
    threshold: float


def tier_position(levels: Sequence[TierLevel], values: Mapping[str, float | None]) -> TierPosition:
    """Find the highest tier whose threshold is met. ``values``: tier key to the metric's value."""
    met = [
        index
        for index, level in enumerate(levels)
        if (value := values.get(level.key)) is not None and value >= level.threshold
    ]
    current = levels[met[-1]] if met else None
    above = levels[met[-1] + 1 if met else 0 :]
    following = above[0] if above else None
    return TierPosition(
        key=current.key if current else None,
        name=current.name if current else None,
        next_key=following.key if following else None,
        next_name=following.name if following else None,
        next_metric=following.metric if following else None,
        next_threshold=following.threshold if following else None,
        next_value=values.get(following.key) if following else None,
    )


def days_in_step(earlier: Sequence[datetime], started_on: date, as_of: date) -> int:
    """Return the days since the last earlier step was done, or since onboarding started."""
    since = max([started_on, *(at.date() for at in earlier)])
    return max((as_of - since) // timedelta(days=1), 0)
