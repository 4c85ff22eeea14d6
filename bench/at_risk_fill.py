"""Many accounts at risk with all that their list shows, copied from a few scored accounts."""

from collections.abc import Callable

from bench.rig.fill import Volume, fill, score_accounts
from bench.rig.rig import Rig, Tenant, now

ACCOUNTS = """
INSERT INTO account (workspace_id, account_id, name, segment, owner, end_customers)
SELECT :id, 'a' || a, 'Company ' || a, 'segment ' || a % 3, 'owner ' || a % 20, 400
FROM generate_series(CAST(:scored AS int), :accounts - 1) AS a
"""
SCORES = """
INSERT INTO health_score (
    workspace_id, account_id, as_of, score, band, status, coverage, plan, details, data_through,
    computed_at
)
SELECT workspace_id, 'a' || a, as_of, score, band, status, coverage, plan, details, data_through,
       computed_at
FROM generate_series(CAST(:scored AS int), :accounts - 1) AS a
JOIN health_score ON workspace_id = :id AND account_id = 'a' || a % :scored
"""
# Equal amounts are frequent, so that the second key of the order matters too. Every third account
# has no probability and is at risk by its band; the others are at risk by their probability.
AMOUNTS = """
UPDATE health_score
SET band = CASE WHEN a % 3 = 0 THEN 'at_risk' ELSE band END,
    mrr_cents = 10000 + 500 * (a % 4000),
    details = details || jsonb_build_object('renewal_on', CAST(:today AS date) + a % 365)
FROM generate_series(0, :accounts - 1) AS a
WHERE workspace_id = :id AND account_id = 'a' || a
"""
RISKS = """
INSERT INTO churn_risk (
    workspace_id, account_id, as_of, status, level, probability, risk, stage, horizon_days,
    mrr_cents, revenue_at_risk_cents, details, computed_at
)
SELECT :id, 'a' || a, :today, 'ok', 'high', p, p, 'trusted', 90, mrr_cents,
       round(12 * mrr_cents * p), '{}', now()
FROM generate_series(0, :accounts - 1) AS a,
     LATERAL (SELECT (5 + a % 90) / CAST(100 AS float8) AS p) AS drawn,
     health_score
WHERE a % 3 > 0 AND workspace_id = :id AND account_id = 'a' || a
ON CONFLICT (workspace_id, account_id) DO UPDATE
SET level = excluded.level, probability = excluded.probability, risk = excluded.risk,
    stage = excluded.stage, mrr_cents = excluded.mrr_cents,
    revenue_at_risk_cents = excluded.revenue_at_risk_cents
"""
ALERTS = """
INSERT INTO alert (
    workspace_id, id, account_id, rule_key, rule_version, rule_name, signal, severity, episode,
    sequence, opened_at, condition, direction
)
SELECT :id, 'al_' || a, 'a' || a, 'health_at_risk', 1, 'At risk', 'health_score', 'high', 1, a,
       now(), 'below', 'down'
FROM generate_series(0, :accounts - 1) AS a
ON CONFLICT DO NOTHING
"""
SUGGESTIONS = """
INSERT INTO intervention (
    workspace_id, id, account_id, playbook, state, rank, value_cents, details, created_at,
    changed_at
)
SELECT workspace_id, 'int_' || a || '_' || playbook, 'a' || a, playbook, state, rank, value_cents,
       details, created_at, changed_at
FROM generate_series(CAST(:scored AS int), :accounts - 1) AS a
JOIN intervention ON workspace_id = :id AND account_id = 'a' || a % :scored
"""


def fill_at_risk(
    rig: Rig,
    tenant: Tenant,
    scored: Volume,
    accounts: int,
    *,
    before_scoring: Callable[[Rig, Tenant], None] | None = None,
) -> None:
    """Give a workspace accounts that are all at risk, and leave the tables vacuumed.

    ``scored``: the accounts that are really scored. The others are copies of them.
    ``before_scoring``: called once these have a history.
    """
    fill(rig, tenant, scored)
    if before_scoring:
        before_scoring(rig, tenant)
    score_accounts(rig, tenant)
    values = {
        "id": tenant.id,
        "today": now().date(),
        "accounts": accounts,
        "scored": scored.accounts,
    }
    rig.run(ACCOUNTS, SCORES, AMOUNTS, RISKS, ALERTS, SUGGESTIONS, **values)
    rig.maintain()
