"""Backtest a rule: what it would have done on past days, with the scores as they were written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import groupby
from statistics import median
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.alerts import explanations, queries, rule_inputs
from app.alerts.evaluation import StoredState, decide, evaluate_rules
from app.alerts.rules import AlertRuleConfig
from app.alerts.schemas import AlertRuleBacktestOut, CaughtAccountOut
from app.alerts.state_machine import Transition
from app.core.filters.tree import Filter
from app.health.scoring.assess import HealthStatus
from app.portfolio import segment_service as segments
from app.portfolio.fields import fields_without_past
from app.portfolio.past_account_queries import load_matching_ids_on

MAX_ACCOUNTS, PAGE_SIZE, MAX_CAUGHT = 1000, 250, 100
RULE_KEY = "tested"


@dataclass(slots=True)
class AccountCourse:
    """The days within the backtest on which alerts of an account opened and on which it churned."""

    opened_on: list[date] = field(default_factory=list)
    churned_on: date | None = None

    @property
    def days_before(self) -> int | None:
        """The days from the last alert before the churn to the churn."""
        churned_on = self.churned_on
        before = [day for day in self.opened_on if churned_on is not None and day <= churned_on]
        return (churned_on - before[-1]).days if churned_on is not None and before else None


def backtest_rule(
    session: Session, workspace_id: str, rule: AlertRuleConfig, *, days: int, now: datetime
) -> AlertRuleBacktestOut:
    """Evaluate a rule on each of the last ``days`` days, as of the end of the day.

    Of more than 1,000 accounts, those that churned in the period and a sample of the others are
    evaluated. The filter of the rule is judged on each day by what was known then. An account that
    never matched it is left out.
    """
    until = now.date()
    since = until - timedelta(days=days - 1)
    ids = queries.sample_accounts(
        session, workspace_id, since=since, until=until, limit=MAX_ACCOUNTS
    )
    account_filter = segments.parse_account_filter(rule.filter)
    courses: dict[str, AccountCourse] = {}
    for start in range(0, len(ids), PAGE_SIZE):
        page = ids[start : start + PAGE_SIZE]
        courses |= _follow_accounts(
            session, workspace_id, rule, account_filter, page, since=since, until=until, now=now
        )
    total = queries.count_accounts(session, workspace_id)
    fields = fields_without_past(account_filter)
    return _summarize(
        courses, since=since, until=until, of_accounts=total, filtered_by_today=fields
    )


def _summarize(
    courses: Mapping[str, AccountCourse],
    *,
    since: date,
    until: date,
    of_accounts: int,
    filtered_by_today: list[str],
) -> AlertRuleBacktestOut:
    caught = [
        CaughtAccountOut(account_id=key, churned_on=each.churned_on, days_before=each.days_before)
        for key, each in sorted(courses.items())
        if each.churned_on is not None and each.days_before is not None
    ]
    alerts = [len(each.opened_on) for each in courses.values()]
    retained = [each for each in courses.values() if each.churned_on is None]
    return AlertRuleBacktestOut(
        since=since,
        until=until,
        accounts=len(courses),
        of_accounts=of_accounts,
        alerts=sum(alerts),
        accounts_alerted=sum(map(bool, alerts)),
        alerts_per_account=round(sum(alerts) / len(courses), 4) if courses else 0.0,
        churned=len(courses) - len(retained),
        caught=len(caught),
        days_before_median=median(each.days_before for each in caught) if caught else None,
        caught_accounts=caught[:MAX_CAUGHT],
        false_alarms=sum(len(each.opened_on) for each in retained),
        filtered_by_today=filtered_by_today,
    )


def _follow_accounts(
    session: Session,
    workspace_id: str,
    rule: AlertRuleConfig,
    account_filter: Filter,
    account_ids: Sequence[str],
    *,
    since: date,
    until: date,
    now: datetime,
) -> dict[str, AccountCourse]:
    """Evaluate accounts day by day; accounts that churned before the period are left out."""
    rules = {RULE_KEY: rule}
    load_neutral = partial(explanations.load_config_neutral_inputs, session, workspace_id)
    courses: dict[str, AccountCourse] = {}
    stored: dict[tuple[str, str], StoredState] = {}
    rows = queries.load_history_days(session, workspace_id, account_ids, since=since, until=until)
    for day, of_day in groupby(rows, key=lambda row: row.as_of):
        rows_of_day = list(of_day)
        matching = set(account_ids)
        if rule.filter:
            keys = [row.account_id for row in rows_of_day]
            matching = load_matching_ids_on(session, workspace_id, account_filter, keys, day=day)
        followed = [row for row in rows_of_day if _is_followed(row, courses, matching)]
        at = datetime.combine(day, time.max, now.tzinfo)
        inputs = rule_inputs.load_inputs(
            session, workspace_id, followed, rules.values(), as_of=day, at=at
        )
        evaluations = evaluate_rules(rules, inputs, stored, partial(_pick, matching))
        for each in decide(evaluations, load_neutral, sequence=day.toordinal(), now=at):
            stored[each.evaluation.key] = each.stored
            if each.transition is Transition.OPENED:
                courses[each.evaluation.inputs.account_id].opened_on.append(day)
    return courses


def _pick(matching: Collection[str], _: AlertRuleConfig, __: Collection[str]) -> Collection[str]:
    """Return the accounts that match the filter of the only rule."""
    return matching


def _is_followed(
    row: Row[Any], courses: dict[str, AccountCourse], matching: Collection[str]
) -> bool:
    """Return whether to evaluate an account on a day; record the day on which it churned.

    It is followed from the first day on which the filter matches. The churn may be days before the
    row, because not every day has a history row.
    """
    if row.status == HealthStatus.CHURNED:
        course = courses.get(row.account_id)
        if course is not None and course.churned_on is None:
            course.churned_on = row.paid_until or row.as_of
        return False
    if row.account_id not in courses and row.account_id not in matching:
        return False
    courses.setdefault(row.account_id, AccountCourse()).churned_on = None
    return True
