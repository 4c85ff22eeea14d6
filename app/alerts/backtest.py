"""What a rule would have done in the days that are over, by the scores as they were written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import groupby
from statistics import median

from sqlalchemy.orm import Session

from app.alerts import backtest_queries, explanations, rule_inputs
from app.alerts.backtest_queries import HistoryDay
from app.alerts.evaluation import StoredState, decide, evaluate_rules
from app.alerts.rules import AlertRuleConfig
from app.alerts.state_machine import Transition
from app.core.filters.matching import And, Condition, Op
from app.health.scoring.assess import HealthStatus
from app.portfolio import account_queries
from app.portfolio import segment_service as segments

ANY_STATUS = Condition("status", Op.IS_NULL, value=False)
MOST_ACCOUNTS, PAGE_SIZE, MOST_NAMED = 1000, 250, 100
RULE_KEY = "tried"


@dataclass(frozen=True, slots=True)
class CaughtAccount:
    account_id: str
    churned_on: date
    days_before: int


@dataclass(slots=True)
class AccountCourse:
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
class RuleBacktest:
    since: date
    until: date
    of_accounts: int
    courses: Mapping[str, AccountCourse]

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
    def all_caught(self) -> list[CaughtAccount]:
        return [
            CaughtAccount(key, each.churned_on, each.days_before)
            for key, each in sorted(self.courses.items())
            if each.churned_on is not None and each.days_before is not None
        ]

    @property
    def caught(self) -> int:
        return len(self.all_caught)

    @property
    def caught_accounts(self) -> list[CaughtAccount]:
        return self.all_caught[:MOST_NAMED]

    @property
    def days_before_median(self) -> float | None:
        days = [each.days_before for each in self.all_caught]
        return float(median(days)) if days else None

    @property
    def false_alarms(self) -> int:
        stayed = [each for each in self.courses.values() if each.churned_on is None]
        return sum(len(each.opened_on) for each in stayed)


def backtest_rule(
    session: Session, workspace_id: str, rule: AlertRuleConfig, *, days: int, now: datetime
) -> RuleBacktest:
    """Evaluate each day as at its end. Of many accounts those that left, and a fair sample.

    The filter lets accounts through as they are today.
    """
    until = now.date()
    since = until - timedelta(days=days - 1)
    ids = backtest_queries.sample_accounts(
        session, workspace_id, since=since, until=until, limit=MOST_ACCOUNTS
    )
    wanted = And((segments.parse_account_filter(rule.filter), ANY_STATUS))
    within = account_queries.load_matching_ids(session, workspace_id, wanted, ids, today=until)
    ids = [key for key in ids if key in within]
    courses: dict[str, AccountCourse] = {}
    for start in range(0, len(ids), PAGE_SIZE):
        page = ids[start : start + PAGE_SIZE]
        courses |= _courses(session, workspace_id, rule, page, since=since, until=until, now=now)
    total = backtest_queries.count_accounts(session, workspace_id)
    return RuleBacktest(since, until, total, courses)


def _courses(
    session: Session,
    workspace_id: str,
    rule: AlertRuleConfig,
    account_ids: Sequence[str],
    *,
    since: date,
    until: date,
    now: datetime,
) -> dict[str, AccountCourse]:
    """Follow accounts day by day; who had left before is left out."""
    rules, own = (
        {RULE_KEY: _for_all(rule)},
        partial(explanations.load_config_neutral_inputs, session, workspace_id),
    )
    courses: dict[str, AccountCourse] = {}
    kept: dict[tuple[str, str], StoredState] = {}
    rows = backtest_queries.load_history_days(
        session, workspace_id, account_ids, since=since, until=until
    )
    for day, of_day in groupby(rows, key=lambda row: row.as_of):
        some = [row for row in of_day if _is_followed(row, courses)]
        at = datetime.combine(day, time.max, now.tzinfo)
        facts = rule_inputs.load_inputs(
            session, workspace_id, some, rules.values(), as_of=day, at=at
        )
        looks = evaluate_rules(rules, facts, kept, _everybody)
        for each in decide(looks, own, sequence=day.toordinal(), now=at):
            key = each.evaluation.facts.account_id
            kept[key, RULE_KEY] = each.kept
            if each.event is Transition.OPENED:
                courses[key].opened_on.append(day)
    return courses


def _is_followed(row: HistoryDay, courses: dict[str, AccountCourse]) -> bool:
    """Note when an account leaves; from then on there is nothing to follow.

    History may know it only days later: it need not be of every day.
    """
    if row.status == HealthStatus.CHURNED:
        course = courses.get(row.account_id)
        if course is not None and course.churned_on is None:
            course.churned_on = row.paid_until or row.as_of
        return False
    courses.setdefault(row.account_id, AccountCourse()).churned_on = None
    return True


def _for_all(rule: AlertRuleConfig) -> AlertRuleConfig:
    return rule.model_copy(update={"filter": {}})


def _everybody(_: AlertRuleConfig, account_ids: Collection[str]) -> Collection[str]:
    return account_ids
