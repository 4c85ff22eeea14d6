"""Evaluate rules in the transaction that writes the scores, for a set of accounts at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import uuid4

from sqlalchemy.orm import Session

from app.accounts.queries import mark_due
from app.alerts import notices, queries, reasons, rule_queries, sources
from app.alerts.evaluation import Outcome, conclude, look
from app.alerts.machine import Event, Seen
from app.alerts.readings import GONE, Risk, shown, shown_of, threshold
from app.alerts.reasons import Reason
from app.alerts.rules import Rule
from app.alerts.tables import Alert
from app.health.assess import Assessment
from app.portfolio import account_queries
from app.portfolio import segment_service as segments
from app.workspaces.queries import find_workspace


@dataclass(frozen=True, slots=True)
class Run:
    """What is evaluated, and who may hear of it.

    Of ``swept`` accounts nothing is told before the sweep is through, of ``silent`` ones not before
    the next one.
    """

    workspace_id: str
    as_of: date
    now: datetime
    swept: Collection[str] = ()
    silent: Collection[str] = ()

    def owed_on(self, account_id: str) -> date | None:
        """Return on which day's sweep a notice may go out; None: at once."""
        if account_id in self.swept:
            return self.as_of
        return self.as_of + timedelta(days=1) if account_id in self.silent else None


def refresh(session: Session, assessments: Sequence[Assessment], run: Run) -> int:
    """Evaluate every rule; return how many alerts opened or were resolved.

    The scores are locked by the caller, so that no two evaluations of an account run at once. A
    day that is over opens nothing.
    """
    if run.as_of < run.now.date():
        return 0
    rules = rule_queries.rules(session, run.workspace_id)
    enabled = {key: rule for key, (_, rule) in rules.items() if rule.enabled}
    ids = [each.account_id for each in assessments]
    kept = queries.lock_states(session, run.workspace_id, ids)
    facts = sources.facts(session, run.workspace_id, assessments, enabled.values(), as_of=run.as_of)
    looks = look(enabled, facts, kept, partial(_let_through, session, run))
    if not looks:
        return 0
    sequence = queries.next_evaluation(session, run.workspace_id)
    own = partial(reasons.alone, session, run.workspace_id)
    outcomes = conclude(looks, own, sequence=sequence, now=run.now)
    queries.write_states(session, run.workspace_id, outcomes)
    return _follow(session, rules, [each for each in outcomes if each.event], run)


def wake(session: Session, *, now: datetime) -> int:
    """Have those accounts scored of which time alone may have brought a change."""
    waiting = queries.take_waiting(session, now=now)
    for workspace_id in sorted({each[0] for each in waiting}):
        ids = [account_id for workspace, account_id in waiting if workspace == workspace_id]
        mark_due(session, workspace_id, ids)
    return len(waiting)


def tell_owed(session: Session, *, now: datetime) -> int:
    """Tell what was held back until the end of a sweep, or of a snooze."""
    told = 0
    for workspace_id in queries.swept_workspaces(session):
        workspace = find_workspace(session, workspace_id)
        if workspace is None or workspace.swept_on is None:
            continue
        alerts = queries.owed(session, workspace_id, until=workspace.swept_on, now=now)
        revenue = queries.revenue(session, workspace_id, {each.account_id for each in alerts})
        notices.tell(session, workspace_id, alerts, revenue, now=now)
        told += len(alerts)
    return told


def _let_through(
    session: Session, run: Run, rule: Rule, account_ids: Collection[str]
) -> Collection[str]:
    wanted = segments.parse_account_filter(rule.filter)
    return account_queries.load_matching_ids(
        session, run.workspace_id, wanted, account_ids, today=run.as_of
    )


def _follow(
    session: Session,
    rules: Mapping[str, tuple[int, Rule]],
    outcomes: Sequence[Outcome],
    run: Run,
) -> int:
    """Open and resolve alerts, note the changes, and tell of them or owe it."""
    alerts = [
        *_open(session, rules, [each for each in outcomes if each.event is Event.OPENED], run),
        *_resolve(session, [each for each in outcomes if each.event is Event.RESOLVED], run),
    ]
    prompt = []
    for each, alert in alerts:
        snoozed = each.kept.snoozed_until
        owed_on = run.owed_on(alert.account_id)
        if owed_on is None and snoozed is not None and snoozed > run.now:
            owed_on = run.as_of
        alert.owed_on = owed_on if notices.due(alert) else None
        prompt += [alert] if owed_on is None else []
    revenue = {each.look.facts.account_id: each.look.facts.revenue_at_risk for each in outcomes}
    prompt.sort(key=lambda alert: (alert.rule_key, alert.account_id))
    notices.tell(session, run.workspace_id, prompt, revenue, now=run.now)
    return len(alerts)


def _open(
    session: Session,
    rules: Mapping[str, tuple[int, Rule]],
    outcomes: Sequence[Outcome],
    run: Run,
) -> list[tuple[Outcome, Alert]]:
    if not outcomes:
        return []
    why = reasons.reasons(session, run.workspace_id, [each.look for each in outcomes])
    found = [
        (each, _alert(each, rules[each.look.key][0], reason, run))
        for each, reason in zip(outcomes, why, strict=True)
    ]
    alerts = [alert for _, alert in found]
    session.add_all(alerts)
    session.flush()
    notices.note(session, run.workspace_id, alerts, notices.OPENED, now=run.now)
    return found


def _alert(outcome: Outcome, version: int, reason: Reason, run: Run) -> Alert:
    each, state = outcome.look, outcome.kept.state
    return Alert(
        workspace_id=run.workspace_id,
        id=f"alr_{round(run.now.timestamp() * 1000):012x}{uuid4().hex[:12]}",
        account_id=each.facts.account_id,
        rule_key=each.key,
        rule_version=version,
        rule_name=each.rule.name,
        signal=each.rule.signal,
        severity=each.rule.severity,
        condition=each.rule.condition,
        direction=each.rule.direction,
        episode=state.episode,
        sequence=state.sequence,
        opened_at=run.now,
        previous=reason.previous,
        current=shown(each.rule, each.facts),
        threshold=threshold(each.rule, each.facts),
        drivers=list(reason.drivers),
        scorecard_version=each.facts.details.get("scorecard_version"),
        model_version=_model(each.facts.risk),
        assignee=each.rule.owner,
        told=notices.NOTHING,
    )


def _model(risk: Risk | None) -> str | None:
    return str(risk.model) if risk is not None and risk.model is not None else None


def _resolve(
    session: Session, outcomes: Sequence[Outcome], run: Run
) -> list[tuple[Outcome, Alert]]:
    keys = [(each.look.facts.account_id, each.look.key) for each in outcomes]
    alerts = queries.open_alerts(session, run.workspace_id, keys)
    found = [(each, alerts[key]) for each, key in zip(outcomes, keys, strict=True) if key in alerts]
    for each, alert in found:
        alert.resolved_at, alert.resolution = run.now, _resolution(each)
        alert.last = shown_of(alert.signal, each.look.rule, each.look.facts)
    session.flush()
    of_all = [alert for _, alert in found]
    notices.note(session, run.workspace_id, of_all, notices.RESOLVED, now=run.now)
    return found


def _resolution(outcome: Outcome) -> str:
    if outcome.look.seen is not Seen.GONE:
        return "recovered"
    status = outcome.look.facts.status
    return str(status) if status in GONE else "filtered"
