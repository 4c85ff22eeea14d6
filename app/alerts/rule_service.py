"""Rules are kept in versions that never change; a change of one concerns every account."""

import math
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.due import Priority
from app.accounts.queries import mark_all_due
from app.alerts import alert_queries, notifications, rule_inputs, rule_queries
from app.alerts.rules import BUILT_IN_RULES, AlertRuleConfig, SignalKind
from app.alerts.state_machine import Phase
from app.core.errors import ConflictError, FieldError, NotFoundError, UnprocessableError
from app.core.query_helpers import advisory_lock
from app.health.definition.scorecard_queries import list_measure_names
from app.portfolio import segment_service as segments
from app.signals.detect import SIGNALS
from app.workspaces.service import Actor

MOST_RULES = 100
RULE_ENDED = "rule_ended"
RULES_LOCK = "alert rules"
"""One transaction at a time changes them."""

VersionedRule = tuple[int, AlertRuleConfig]


def get(session: Session, workspace_id: str, key: str) -> VersionedRule:
    found = rule_queries.load_active_rules(session, workspace_id).get(key)
    if found is None:
        raise NotFoundError("alert rule", key)
    return found


def check(session: Session, workspace_id: str, rule: AlertRuleConfig) -> None:
    """Raise FilterError or UnprocessableError where a rule watches what there is not."""
    segments.parse_account_filter(rule.filter)
    _check_thresholds(rule)
    if rule.kind is SignalKind.NAMED:
        known: set[str] = {*SIGNALS}
    elif rule.kind is SignalKind.MEASURE:
        known = list_measure_names(session, workspace_id)
    else:
        return
    if rule.subject not in known:
        close = get_close_matches(rule.subject, known, n=1)
        hint = f" Did you mean {rule.kind}:{close[0]}?" if close else ""
        where = FieldError("/body/signal", f"There is no {rule.signal}.{hint}")
        raise UnprocessableError("The rule watches what there is not.", errors=[where])


def _check_thresholds(rule: AlertRuleConfig) -> None:
    low, high = rule.range
    ends = f"{low:g} to {high:g}" if math.isfinite(low) else f"at most {high:g}"
    if not rule.can_fire:
        where = FieldError("/body/fire_at", f"What is watched is {ends}: it never gets there.")
        raise UnprocessableError("The rule can never fire.", errors=[where])
    if not rule.can_clear:
        where = FieldError("/body/clear_at", f"What is watched is {ends}: it never gets back.")
        raise UnprocessableError("What the rule opens would never be over.", errors=[where])


def put(session: Session, change: Actor, key: str, wanted: AlertRuleConfig) -> VersionedRule:
    """Create a rule or its next version; saying the same again changes nothing."""
    workspace_id = change.workspace_id
    check(session, workspace_id, wanted)
    advisory_lock(session, RULES_LOCK, workspace_id)
    known = rule_queries.load_active_rules(session, workspace_id)
    version, before = known.get(key, (0, None))
    config = wanted.model_dump(mode="json")
    if before is not None and before.model_dump(mode="json") == config:
        return version, before
    if before is None and len(known) >= MOST_RULES:
        raise ConflictError(f"A workspace has at most {MOST_RULES} rules.", code="too_many_rules")
    version = rule_queries.insert_version(
        session, workspace_id, key, config, actor=change.actor, now=change.at
    )
    change.audit(session, "alert_rule.changed" if before else "alert_rule.created", key, config)
    if not wanted.enabled:
        _end_alerts(session, workspace_id, key, before or wanted, now=change.at)
    elif before is None or _decides(before) != _decides(wanted):
        mark_all_due(session, workspace_id, priority=Priority.SWEEP)
    return version, wanted


def delete(session: Session, change: Actor, key: str) -> None:
    """Let a rule hold no more; what it opened is over, and stays to be read."""
    workspace_id = change.workspace_id
    advisory_lock(session, RULES_LOCK, workspace_id)
    _, rule = get(session, workspace_id, key)
    if key in BUILT_IN_RULES:
        raise ConflictError(f"{key} is built in: disable it instead.", code="built_in_rule")
    rule_queries.deactivate_rule(session, workspace_id, key)
    change.audit(session, "alert_rule.deleted", key)
    _end_alerts(session, workspace_id, key, rule, now=change.at)


def _decides(rule: AlertRuleConfig) -> dict[str, Any]:
    """Return what of a rule decides when it opens."""
    return rule.model_dump(exclude={"name", "severity", "owner"})


def _end_alerts(
    session: Session, workspace_id: str, key: str, rule: AlertRuleConfig, *, now: datetime
) -> None:
    states, alerts = alert_queries.lock_rule_alerts(session, workspace_id, key)
    rule_inputs.record_last_values(session, workspace_id, rule, alerts, today=now.date())
    for state in states:
        state.phase, state.since, state.check_at = Phase.OK, None, None
        state.shift, state.yardstick, state.armed = 0.0, None, True
    notifications.resolve_alerts(session, workspace_id, alerts, RULE_ENDED, now=now)
