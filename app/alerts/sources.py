"""Bring together what rules read of accounts; what no rule asks for is not looked up."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Protocol

from sqlalchemy.orm import Session

from app.alerts.readings import Facts, Risk, measure_scores
from app.alerts.rules import Operator, Rule, Signal
from app.churn.driver_words import sentence
from app.churn.drivers import Driver
from app.churn.risk_queries import risks_on
from app.churn.tables import ChurnRisk, ChurnRiskHistory
from app.core.languages import Language
from app.health import queries as health
from app.health.assess import Status


class Scored(Protocol):
    """What an assessment, a score and a day of history have in common."""

    @property
    def account_id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def score(self) -> float | None: ...
    @property
    def mrr_cents(self) -> int: ...
    @property
    def details(self) -> Mapping[str, Any]: ...


Earlier = Mapping[str, Mapping[int, Mapping[str, float | None]]]


def facts(
    session: Session,
    workspace_id: str,
    scored: Sequence[Scored],
    rules: Collection[Rule],
    *,
    as_of: date,
) -> list[Facts]:
    ids = [each.account_id for each in scored]
    earlier = _earlier(session, workspace_id, ids, rules, as_of)
    judged = risks_on(session, workspace_id, ids, as_of=as_of)
    return [
        Facts(
            account_id=each.account_id,
            as_of=as_of,
            status=Status(each.status),
            score=each.score,
            mrr_cents=each.mrr_cents,
            details=each.details,
            risk=_risk(judged.get(each.account_id)),
            earlier=earlier.get(each.account_id, {}),
        )
        for each in scored
    ]


def _risk(row: ChurnRisk | ChurnRiskHistory | None) -> Risk | None:
    """Tell what goes with a higher risk; nothing of an account of which nothing is said."""
    if row is None or row.level is None:
        return None
    told = [Driver(**each) for each in row.details["drivers"]]
    return Risk(
        row.probability,
        row.level,
        None if row.model_version is None else str(row.model_version),
        tuple(sentence(each, Language.EN) for each in told if each.effect > 0),
    )


def _earlier(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    rules: Collection[Rule],
    as_of: date,
) -> Earlier:
    """Return measure scores of before by account and days, where a rule compares with them."""
    windows = {
        rule.window_days
        for rule in rules
        if rule.kind is Signal.MEASURE and rule.operator is Operator.DROP_BY
    }
    found: dict[str, dict[int, Mapping[str, float | None]]] = {}
    for days in sorted(windows):
        day = as_of - timedelta(days=days)
        rows = health.standings_on(session, workspace_id, account_ids, day=day)
        for account_id, row in rows.items():
            found.setdefault(account_id, {})[days] = measure_scores(row.details)
    return found
