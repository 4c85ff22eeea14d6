-- The data behind suggestions, the writing of suggestions, and scores on past days.

-- name: cases
-- The details are unpacked once: each operator on them would unpack them again.
SELECT a.account_id, coalesce(a.name, a.account_id) AS name, a.owner, a.industry, a.employees,
       a.end_customers, a.parent_id, a.traits ->> 'customer_type' AS customer_type, a.created_at,
       h.band, h.status,
       {{known_mrr_cents}} AS mrr_cents, h.plan, details.currency, details.seats,
       details.renewal_on,
       details.last_used_on, details.unused_product_features AS unused, inputs.active_users,
       inputs.reached, inputs.adopted, c.probability, c.level
FROM health_score h
JOIN account a ON a.workspace_id = h.workspace_id AND a.account_id = h.account_id
CROSS JOIN LATERAL jsonb_to_record(h.details) AS details (
    currency text, seats bigint, renewal_on date, last_used_on date, inputs jsonb,
    unused_product_features jsonb)
CROSS JOIN LATERAL jsonb_to_record(coalesce(details.inputs, '{}')) AS inputs (
    active_users bigint, reached bigint, adopted jsonb)
LEFT JOIN churn_risk c ON c.workspace_id = h.workspace_id AND c.account_id = h.account_id
WHERE h.workspace_id = :workspace_id AND h.account_id = ANY(CAST(:account_ids AS text[]))
  AND h.status <> 'stale'
ORDER BY h.account_id

-- name: fixed_feedback
-- The last request or complaint of each account that was shipped or fixed.
SELECT DISTINCT ON (account_id) account_id, topic, resolved_at
FROM feedback_item
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
  AND kind <> 'praise' AND status IN ('shipped', 'fixed') AND resolved_at > :since
  AND known_until = '9999-12-31'
ORDER BY account_id, resolved_at DESC

-- name: upsert_suggestions
-- Each row replaces the one of its id, unless that was decided in the meantime.
INSERT INTO intervention (
    workspace_id, id, account_id, playbook, state, signal, rank, value_cents, details,
    experiment_id, arm, created_at, changed_at, notified_at
)
SELECT :workspace_id, r.id, r.account_id, r.playbook, r.state, r.signal, r.rank, r.value_cents,
       r.details, r.experiment_id, r.arm, :now, :now, r.notified_at
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    id text, account_id text, playbook text, state text, signal text, rank int,
    value_cents double precision, details jsonb, experiment_id text, arm text,
    notified_at timestamptz)
ORDER BY r.id COLLATE "C"
ON CONFLICT (workspace_id, id) DO UPDATE SET
    state = excluded.state, signal = excluded.signal, rank = excluded.rank,
    value_cents = excluded.value_cents, details = excluded.details,
    experiment_id = excluded.experiment_id, arm = excluded.arm, notified_at = excluded.notified_at,
    changed_at = CASE WHEN intervention.state = excluded.state THEN intervention.changed_at
                      ELSE excluded.changed_at END
WHERE intervention.state IN ('suggested', 'lapsed')

-- name: snapshots
-- The scores of accounts on days, or at most six days before.
SELECT w.account_id, w.day, h.as_of, h.status, h.score, h.measures, h.paid_until
FROM unnest(CAST(:account_ids AS text[]), CAST(:days AS date[])) AS w (account_id, day)
CROSS JOIN LATERAL (
    SELECT x.as_of, x.status, x.score, x.details -> 'measures' AS measures,
           CASE WHEN x.status = 'churned'
               THEN CAST(x.details #>> '{inputs,paid_until}' AS date) END AS paid_until
    FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = w.account_id
      AND x.as_of <= w.day AND x.as_of > w.day - 7
    ORDER BY x.as_of DESC, x.restatement DESC, x.change DESC LIMIT 1
) AS h
