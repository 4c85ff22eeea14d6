"""Bring together what rules read of accounts; what no rule asks for is not looked up."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.orm import Session

from app.alerts import queries, source_queries
from app.alerts.readings import Facts, measure_scores, shown_of
from app.alerts.rules import Operator, Rule, Signal
from app.alerts.tables import Alert
from app.health import queries as health
from app.health.assess import Status
from app.signals import queries as signals
from app.signals.signal import Signal as NamedSignal


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
    at: datetime | None = None,
) -> list[Facts]:
    """``at``: when it was so; None: it is so now."""
    ids = [each.account_id for each in scored]
    earlier = _earlier(session, workspace_id, ids, rules, as_of)
    named = _named(session, workspace_id, ids, rules, at)
    risks = (
        source_queries.risks(session, workspace_id, ids)
        if at is None
        else source_queries.risks_on(session, workspace_id, ids, day=as_of)
    )
    return [
        Facts(
            account_id=each.account_id,
            as_of=as_of,
            status=Status(each.status),
            score=each.score,
            mrr_cents=each.mrr_cents,
            details=each.details,
            risk=risks.get(each.account_id),
            signals=None if named is None else named.get(each.account_id, {}),
            earlier=earlier.get(each.account_id, {}),
        )
        for each in scored
    ]


def note_last(
    session: Session, workspace_id: str, rule: Rule, alerts: Sequence[Alert], *, today: date
) -> None:
    """Note in alerts that end how their accounts stand, by the scores that were written last."""
    ids = [alert.account_id for alert in alerts]
    scored = queries.scores_of(session, workspace_id, ids)
    found = facts(session, workspace_id, scored, [rule], as_of=today)
    known = {each.account_id: each for each in found}
    for alert in alerts:
        if alert.account_id in known:
            alert.last = shown_of(alert.signal, rule, known[alert.account_id])


def _named(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    rules: Collection[Rule],
    at: datetime | None,
) -> dict[str, dict[str, NamedSignal]] | None:
    """Return the signals that hold by account and name; of several of one name the gravest.

    None: no rule asks.
    """
    if not any(rule.kind is Signal.NAMED for rule in rules):
        return None
    found = signals.open_signals(session, workspace_id, account_ids, at=at)
    return {
        account_id: {
            kept.signal.name: kept.signal
            for kept in sorted(of_account, key=lambda kept: kept.signal.severity.rank)
        }
        for account_id, of_account in found.items()
    }


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
