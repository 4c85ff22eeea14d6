"""The SQL that reads what suggestions rest on, for a set of accounts, and writes them."""

from sqlalchemy import text

# Details are unpacked once: each operator on them would do it again.
CASES = text("""
SELECT a.account_id, coalesce(a.name, a.account_id) AS name, a.owner, a.industry, a.employees,
       a.end_customers, a.parent_id, a.traits ->> 'customer_type' AS customer_type, a.created_at,
       h.band, h.status, h.mrr_cents, h.plan, said.currency, said.seats, said.renewal_on,
       said.last_used_on, said.unused_product_features AS unused, known.active_users,
       known.reached, known.adopted, c.probability
FROM health_score h
JOIN account a ON a.workspace_id = h.workspace_id AND a.account_id = h.account_id
CROSS JOIN LATERAL jsonb_to_record(h.details) AS said (
    currency text, seats int, renewal_on date, last_used_on date, inputs jsonb,
    unused_product_features jsonb)
CROSS JOIN LATERAL jsonb_to_record(coalesce(said.inputs, '{}')) AS known (
    active_users int, reached int, adopted jsonb)
LEFT JOIN churn_risk c ON c.workspace_id = h.workspace_id AND c.account_id = h.account_id
WHERE h.workspace_id = :workspace_id AND h.account_id = ANY(CAST(:account_ids AS text[]))
  AND h.status <> 'stale'
ORDER BY h.account_id
""")

# What the account asked for or complained about is done: the newest of each account.
FIXED_FEEDBACK = text("""
SELECT DISTINCT ON (account_id) account_id, topic, resolved_at
FROM feedback_item
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
  AND kind <> 'praise' AND status IN ('shipped', 'fixed') AND resolved_at > :since
ORDER BY account_id, resolved_at DESC
""")

FAMILY_ROOTS = text("""
WITH RECURSIVE line AS (
    SELECT account_id, account_id AS at, parent_id, 1 AS level FROM account
    WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
    UNION ALL
    SELECT l.account_id, a.account_id, a.parent_id, l.level + 1 FROM line l
    JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = l.parent_id
    WHERE l.level < :most
)
SELECT DISTINCT ON (account_id) account_id, at FROM line ORDER BY account_id, level DESC
""")

# Each row replaces the one of its id, unless somebody has decided on that in the meantime.
UPSERT_SUGGESTIONS = text("""
INSERT INTO intervention (
    workspace_id, id, account_id, playbook, state, signal, rank, value_cents, details,
    experiment_id, arm, created_at, changed_at, told_at
)
SELECT :workspace_id, r.id, r.account_id, r.playbook, r.state, r.signal, r.rank, r.value_cents,
       r.details, r.experiment_id, r.arm, :now, :now, r.told_at
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    id text, account_id text, playbook text, state text, signal text, rank int,
    value_cents double precision, details jsonb, experiment_id text, arm text,
    told_at timestamptz)
ORDER BY r.id COLLATE "C"
ON CONFLICT (workspace_id, id) DO UPDATE SET
    state = excluded.state, signal = excluded.signal, rank = excluded.rank,
    value_cents = excluded.value_cents, details = excluded.details,
    experiment_id = excluded.experiment_id, arm = excluded.arm, told_at = excluded.told_at,
    changed_at = CASE WHEN intervention.state = excluded.state THEN intervention.changed_at
                      ELSE excluded.changed_at END
WHERE intervention.state IN ('suggested', 'lapsed')
""")
