"""What a rule would have done in the days that are over, by the scores as they were written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import groupby
from statistics import median

from sqlalchemy.orm import Session

from app.alerts import backtest_queries, reasons, sources
from app.alerts.backtest_queries import Day
from app.alerts.evaluation import Kept, conclude, look
from app.alerts.machine import Event
from app.alerts.rules import Rule
from app.core.filters.matching import And, Condition, Op
from app.health.assess import Status
from app.portfolio import account_queries
from app.portfolio import segment_service as segments

ANY_STATUS = Condition("status", Op.IS_NULL, value=False)
MOST_ACCOUNTS, AT_ONCE, MOST_NAMED = 1000, 250, 100
KEY = "tried"


@dataclass(frozen=True, slots=True)
class Caught:
    account_id: str
    churned_on: date
    days_before: int


@dataclass(slots=True)
class Course:
    """What became of one account: when the rule opened, and when the account left."""

    opened_on: list[date] = field(default_factory=list)
    churned_on: date | None = None

    @property
    def days_before(self) -> int | None:
        """How long before the account left it was warned of last."""
        left = self.churned_on
        before = [day for day in self.opened_on if left is not None and day <= left]
        return (left - before[-1]).days if left is not None and before else None


@dataclass(frozen=True, slots=True)
class Backtest:
    since: date
    until: date
    of_accounts: int
    courses: Mapping[str, Course]

    @property
    def accounts(self) -> int:
        return len(self.courses)

    @property
    def alerts(self) -> int:
        return sum(len(each.opened_on) for each in self.courses.values())

    @property
    def accounts_alerted(self) -> int:
        return sum(bool(each.opened_on) for each in self.courses.values())

    @property
    def alerts_per_account(self) -> float:
        return round(self.alerts / self.accounts, 4) if self.accounts else 0.0

    @property
    def churned(self) -> int:
        return sum(each.churned_on is not None for each in self.courses.values())

    @property
    def all_caught(self) -> list[Caught]:
        return [
            Caught(key, each.churned_on, each.days_before)
            for key, each in sorted(self.courses.items())
            if each.churned_on is not None and each.days_before is not None
        ]

    @property
    def caught(self) -> int:
        return len(self.all_caught)

    @property
    def caught_accounts(self) -> list[Caught]:
        return self.all_caught[:MOST_NAMED]

    @property
    def days_before_median(self) -> float | None:
        days = [each.days_before for each in self.all_caught]
        return float(median(days)) if days else None

    @property
    def false_alarms(self) -> int:
        stayed = [each for each in self.courses.values() if each.churned_on is None]
        return sum(len(each.opened_on) for each in stayed)


def backtest(
    session: Session, workspace_id: str, rule: Rule, *, days: int, now: datetime
) -> Backtest:
    """Evaluate each day as at its end. Of many accounts those that left, and a fair sample.

    The filter lets accounts through as they are today.
    """
    until = now.date()
    since = until - timedelta(days=days - 1)
    ids = backtest_queries.some_accounts(
        session, workspace_id, since=since, until=until, limit=MOST_ACCOUNTS
    )
    wanted = And((segments.parse_account_filter(rule.filter), ANY_STATUS))
    within = account_queries.load_matching_ids(session, workspace_id, wanted, ids, today=until)
    ids = [key for key in ids if key in within]
    courses: dict[str, Course] = {}
    for start in range(0, len(ids), AT_ONCE):
        page = ids[start : start + AT_ONCE]
        courses |= _courses(session, workspace_id, rule, page, since=since, until=until, now=now)
    total = backtest_queries.count_accounts(session, workspace_id)
    return Backtest(since, until, total, courses)


def _courses(
    session: Session,
    workspace_id: str,
    rule: Rule,
    account_ids: Sequence[str],
    *,
    since: date,
    until: date,
    now: datetime,
) -> dict[str, Course]:
    """Follow accounts day by day; who had left before is left out."""
    rules, own = {KEY: _for_all(rule)}, partial(reasons.alone, session, workspace_id)
    courses: dict[str, Course] = {}
    kept: dict[tuple[str, str], Kept] = {}
    rows = backtest_queries.days(session, workspace_id, account_ids, since=since, until=until)
    for day, of_day in groupby(rows, key=lambda row: row.as_of):
        some = [row for row in of_day if _is_followed(row, courses)]
        at = datetime.combine(day, time.max, now.tzinfo)
        facts = sources.facts(session, workspace_id, some, rules.values(), as_of=day, at=at)
        looks = look(rules, facts, kept, _everybody)
        for each in conclude(looks, own, sequence=day.toordinal(), now=at):
            key = each.look.facts.account_id
            kept[key, KEY] = each.kept
            if each.event is Event.OPENED:
                courses[key].opened_on.append(day)
    return courses


def _is_followed(row: Day, courses: dict[str, Course]) -> bool:
    """Note when an account leaves; from then on there is nothing to follow.

    History may know it only days later: it need not be of every day.
    """
    if row.status == Status.CHURNED:
        course = courses.get(row.account_id)
        if course is not None and course.churned_on is None:
            course.churned_on = row.paid_until or row.as_of
        return False
    courses.setdefault(row.account_id, Course()).churned_on = None
    return True


def _for_all(rule: Rule) -> Rule:
    return rule.model_copy(update={"filter": {}})


def _everybody(_: Rule, account_ids: Collection[str]) -> Collection[str]:
    return account_ids
