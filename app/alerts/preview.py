"""How many accounts a rule is about, and how many breach it at this moment."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.alerts import queries, sources
from app.alerts.machine import Seen
from app.alerts.readings import GONE, read
from app.alerts.rules import Rule
from app.portfolio import account_queries
from app.portfolio import segment_service as segments

AT_ONCE, MOST = 1000, 10_000


@dataclass(frozen=True, slots=True)
class Preview:
    count: int
    mrr_cents: int
    looked_at: int
    breaching: int
    breaching_mrr_cents: int


def preview(session: Session, workspace_id: str, rule: Rule, *, now: datetime) -> Preview:
    """Of more than 10,000 accounts those of the first keys are tried for a breach."""
    today = now.date()
    wanted = segments.parse_account_filter(rule.filter)
    [total] = account_queries.load_totals(session, workspace_id, [wanted], today=today)
    looked_at, breaching, cents, after = 0, 0, 0, ""
    while looked_at < MOST:
        rows = queries.scores(session, workspace_id, after=after, limit=AT_ONCE)
        if not rows:
            break
        after = rows[-1].account_id
        ids = [row.account_id for row in rows]
        within = account_queries.load_matching_ids(session, workspace_id, wanted, ids, today=today)
        some = [row for row in rows if row.account_id in within]
        looked_at += len(some)
        for facts in sources.facts(session, workspace_id, some, [rule], as_of=today):
            if facts.status not in GONE and rule.see(read(rule, facts)) is Seen.BREACH:
                breaching, cents = breaching + 1, cents + facts.mrr_cents
    return Preview(total.accounts, total.mrr_cents, looked_at, breaching, cents)
