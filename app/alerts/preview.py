"""How many accounts a rule is about, and how many breach it at this moment."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.alerts import queries, rule_inputs
from app.alerts.rule_values import INACTIVE_STATUSES, rule_value
from app.alerts.rules import AlertRuleConfig
from app.alerts.state_machine import CheckResult
from app.portfolio import account_queries
from app.portfolio import segment_service as segments

PAGE_SIZE, MAX_ACCOUNTS = 1000, 10_000


@dataclass(frozen=True, slots=True)
class RulePreview:
    count: int
    mrr_cents: int
    looked_at: int
    breaching: int
    breaching_mrr_cents: int


def preview_rule(
    session: Session, workspace_id: str, rule: AlertRuleConfig, *, now: datetime
) -> RulePreview:
    """Of more than 10,000 accounts those of the first keys are tried for a breach."""
    today = now.date()
    wanted = segments.parse_account_filter(rule.filter)
    [total] = account_queries.load_totals(session, workspace_id, [wanted], today=today)
    looked_at, breaching, cents, after = 0, 0, 0, ""
    while looked_at < MAX_ACCOUNTS:
        rows = queries.list_scores(session, workspace_id, after=after, limit=PAGE_SIZE)
        if not rows:
            break
        after = rows[-1].account_id
        ids = [row.account_id for row in rows]
        within = account_queries.load_matching_ids(session, workspace_id, wanted, ids, today=today)
        some = [row for row in rows if row.account_id in within]
        looked_at += len(some)
        for facts in rule_inputs.load_inputs(session, workspace_id, some, [rule], as_of=today):
            if (
                facts.status not in INACTIVE_STATUSES
                and rule.check(rule_value(rule, facts)) is CheckResult.BREACH
            ):
                breaching, cents = breaching + 1, cents + facts.mrr_cents
    return RulePreview(total.accounts, total.mrr_cents, looked_at, breaching, cents)
