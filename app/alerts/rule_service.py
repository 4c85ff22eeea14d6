"""Change alert rules. Versions are immutable; a new version evaluates every account again."""

import math
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, mark_all_due
from app.alerts import notifications, queries, rule_inputs, rule_queries
from app.alerts.rule_queries import VersionedRule
from app.alerts.rule_values import check_rule, rule_value
from app.alerts.rules import BUILT_IN_RULES, AlertRuleConfig, SignalKind
from app.alerts.schemas import AlertRulePreviewOut
from app.alerts.state_machine import CheckResult, Phase
from app.core.errors import ConflictError, FieldError, NotFoundError, UnprocessableError
from app.core.query_helpers import advisory_lock
from app.health.definition.scorecard_queries import list_measure_names
from app.portfolio import account_queries
from app.portfolio import segment_service as segments
from app.signals.detect import SIGNALS
from app.workspaces.service import Actor

MAX_RULES = 100
RULE_ENDED = "rule_ended"
RULES_LOCK = "alert rules"
"""Name of the advisory lock: one transaction at a time changes the rules of a workspace."""

PREVIEW_PAGE_SIZE, MAX_PREVIEWED = 1000, 10_000


def get(session: Session, workspace_id: str, key: str) -> VersionedRule:
    """Return the active version of a rule with its number."""
    version = rule_queries.load_active_rules(session, workspace_id).get(key)
    if version is None:
        raise NotFoundError("alert rule", key)
    return version


def check(session: Session, workspace_id: str, rule: AlertRuleConfig) -> None:
    """Raise UnprocessableError for an invalid filter, threshold, or unknown signal or measure."""
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
        error = FieldError("/body/signal", f"There is no {rule.signal}.{hint}")
        raise UnprocessableError("The rule watches an unknown signal or measure.", errors=[error])


def _check_thresholds(rule: AlertRuleConfig) -> None:
    low, high = rule.range
    limits = f"between {low:g} and {high:g}" if math.isfinite(low) else f"at most {high:g}"
    if not rule.can_fire:
        text = f"The watched value is {limits}: it can never reach this threshold."
        error = FieldError("/body/fire_at", text)
        raise UnprocessableError("The rule can never fire.", errors=[error])
    if not rule.can_clear:
        text = f"The watched value is {limits}: it can never return to this threshold."
        error = FieldError("/body/clear_at", text)
        raise UnprocessableError("An alert of the rule could never be resolved.", errors=[error])


def preview(
    session: Session, workspace_id: str, rule: AlertRuleConfig, *, now: datetime
) -> AlertRulePreviewOut:
    """Count the accounts that a rule covers, and how many of them breach it now.

    At most about 10,000 accounts are tested for a breach, in key order.
    """
    today = now.date()
    account_filter = segments.parse_account_filter(rule.filter)
    [total] = account_queries.load_totals(session, workspace_id, [account_filter], today=today)
    tested, breaching, cents, no_rate, after = 0, 0, 0, 0, ""
    while tested < MAX_PREVIEWED:
        rows = queries.list_scores(session, workspace_id, after=after, limit=PREVIEW_PAGE_SIZE)
        if not rows:
            break
        after = rows[-1].account_id
        matching = account_queries.load_matching_ids(
            session, workspace_id, account_filter, [row.account_id for row in rows], today=today
        )
        scored = [row for row in rows if row.account_id in matching]
        tested += len(scored)
        for inputs in rule_inputs.load_inputs(session, workspace_id, scored, [rule], as_of=today):
            if check_rule(rule, inputs, rule_value(rule, inputs)) is CheckResult.BREACH:
                breaching, cents = breaching + 1, cents + (inputs.mrr_cents or 0)
                no_rate += inputs.mrr_cents is None
    return AlertRulePreviewOut(
        count=total.accounts,
        mrr_cents=total.mrr_cents,
        looked_at=tested,
        breaching=breaching,
        breaching_mrr_cents=cents,
        exclusions={"no_rate": total.no_rate},
        breaching_exclusions={"no_rate": no_rate},
    )


def put(session: Session, actor: Actor, key: str, config: AlertRuleConfig) -> VersionedRule:
    """Create a rule or add its next version; an equal configuration changes nothing."""
    workspace_id = actor.workspace_id
    check(session, workspace_id, config)
    advisory_lock(session, RULES_LOCK, workspace_id)
    rules = rule_queries.load_active_rules(session, workspace_id)
    version, before = rules.get(key, (0, None))
    document = config.model_dump(mode="json")
    if before is not None and before.model_dump(mode="json") == document:
        return version, before
    if before is None and len(rules) >= MAX_RULES:
        raise ConflictError(
            f"A workspace has at most {MAX_RULES} rules: delete another rule first.",
            code="too_many_rules",
        )
    version = rule_queries.insert_version(
        session, workspace_id, key, document, actor=actor.name, now=actor.at
    )
    actor.audit(session, "alert_rule.changed" if before else "alert_rule.created", key, document)
    if not config.enabled:
        _end_alerts(session, workspace_id, key, before or config, now=actor.at)
    elif before is None or _condition(before) != _condition(config):
        mark_all_due(session, workspace_id, priority=Priority.SWEEP)
    return version, config


def delete(session: Session, actor: Actor, key: str) -> None:
    """Deactivate a rule and resolve its open alerts; versions and alerts stay readable."""
    workspace_id = actor.workspace_id
    advisory_lock(session, RULES_LOCK, workspace_id)
    _, rule = get(session, workspace_id, key)
    if key in BUILT_IN_RULES:
        text = f"{key} is a built-in rule and cannot be deleted: disable it instead."
        raise ConflictError(text, code="built_in_rule")
    rule_queries.deactivate_rule(session, workspace_id, key)
    actor.audit(session, "alert_rule.deleted", key)
    _end_alerts(session, workspace_id, key, rule, now=actor.at)


def _condition(rule: AlertRuleConfig) -> dict[str, Any]:
    """Return the settings that decide when an alert opens."""
    return rule.model_dump(exclude={"name", "severity", "owner"})


def _end_alerts(
    session: Session, workspace_id: str, key: str, rule: AlertRuleConfig, *, now: datetime
) -> None:
    states, alerts = queries.lock_rule_alerts(session, workspace_id, key)
    rule_inputs.record_last_values(session, workspace_id, rule, alerts, now.date())
    for state in states:
        state.phase, state.since, state.check_at = Phase.OK, None, None
        state.config_offset, state.offset_context, state.may_open = 0.0, None, True
    notifications.resolve_alerts(session, alerts, RULE_ENDED, now)
