-- name: next_sequences
-- One row is locked for each account, so that its sequence numbers follow the order of commits.
INSERT INTO message_sequence AS s (workspace_id, account_id, last)
SELECT :workspace_id, r.account_id, r.messages
FROM json_to_recordset(CAST(:counts AS json)) AS r (account_id text, messages bigint)
ORDER BY r.account_id COLLATE "C"
ON CONFLICT (workspace_id, account_id) DO UPDATE SET last = s.last + excluded.last
RETURNING account_id, last

-- name: accounts
-- Plain SQL, because the package of accounts lies above this one.
SELECT account_id, name, segment, owner, plan, industry, employees, end_customers, started_on,
       parent_id, excluded, traits
FROM account
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:ids AS text[]))

-- name: account_facts
-- What messages say about an account. Plain SQL, as above.
SELECT a.account_id, a.name AS account_name, a.owner AS account_owner, x.mrr_cents,
       CASE WHEN x.mrr_cents IS NOT NULL THEN w.base_currency END AS mrr_currency,
       CAST(h.details ->> 'renewal_on' AS date) AS renewal_on
FROM account a
JOIN workspace w ON w.id = a.workspace_id
LEFT JOIN health_score h ON h.workspace_id = a.workspace_id AND h.account_id = a.account_id
CROSS JOIN LATERAL (
    SELECT {{known_mrr_cents}} AS mrr_cents
) AS x
WHERE a.workspace_id = :workspace_id AND a.account_id = ANY(CAST(:ids AS text[]))

-- name: current_ids
SELECT account_id, target_id FROM account_alias
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:ids AS text[]))

-- name: upsert_deliveries
INSERT INTO delivery AS d (workspace_id, endpoint_id, message_id, state, due_at)
SELECT :workspace_id, r.endpoint_id, r.message_id, 'pending', :now
FROM json_to_recordset(CAST(:rows AS json)) AS r (endpoint_id text, message_id text)
ORDER BY r.endpoint_id COLLATE "C", r.message_id COLLATE "C"
ON CONFLICT (workspace_id, endpoint_id, message_id) DO UPDATE
SET state = 'pending', attempts = 0, due_at = excluded.due_at, token = NULL, finished_at = NULL
WHERE d.state = ANY(CAST(:again AS text[]))
RETURNING d.message_id

-- name: fail_pending
UPDATE delivery SET state = 'failed', token = NULL, finished_at = :now
WHERE workspace_id = :workspace_id AND endpoint_id = :endpoint_id AND state = 'pending'
