"""Count the accounts that a rule covers, and how many of them breach it now."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.alerts import queries, rule_inputs
from app.alerts.rule_values import INACTIVE_STATUSES, RuleInputs, rule_value
from app.alerts.rules import AlertRuleConfig
from app.alerts.state_machine import CheckResult
from app.portfolio import account_queries
from app.portfolio import segment_service as segments

PAGE_SIZE, MAX_ACCOUNTS = 1000, 10_000


@dataclass(frozen=True, slots=True)
class RulePreview:
    """``count`` accounts match the filter; ``looked_at`` of them were tested for a breach."""

    count: int
    mrr_cents: int
    looked_at: int
    breaching: int
    breaching_mrr_cents: int


def preview_rule(
    session: Session, workspace_id: str, rule: AlertRuleConfig, *, now: datetime
) -> RulePreview:
    """Test at most about 10,000 accounts for a breach, in key order."""
    today = now.date()
    account_filter = segments.parse_account_filter(rule.filter)
    [total] = account_queries.load_totals(session, workspace_id, [account_filter], today=today)
    looked_at, breaching, cents, after = 0, 0, 0, ""
    while looked_at < MAX_ACCOUNTS:
        rows = queries.list_scores(session, workspace_id, after=after, limit=PAGE_SIZE)
        if not rows:
            break
        after = rows[-1].account_id
        ids = [row.account_id for row in rows]
        matching = account_queries.load_matching_ids(
            session, workspace_id, account_filter, ids, today=today
        )
        scored = [row for row in rows if row.account_id in matching]
        looked_at += len(scored)
        for inputs in rule_inputs.load_inputs(session, workspace_id, scored, [rule], as_of=today):
            if _is_breach(rule, inputs):
                breaching, cents = breaching + 1, cents + inputs.mrr_cents
    return RulePreview(total.accounts, total.mrr_cents, looked_at, breaching, cents)


def _is_breach(rule: AlertRuleConfig, inputs: RuleInputs) -> bool:
    is_active = inputs.status not in INACTIVE_STATUSES
    return is_active and rule.check(rule_value(rule, inputs)) is CheckResult.BREACH
