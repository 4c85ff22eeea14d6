-- States of alert rules, held notifications, digests, and past scores for backtests.

-- name: upsert_states
-- In key order, so that two transactions cannot deadlock.
INSERT INTO alert_state AS s (
    workspace_id, account_id, rule_key, sequence, phase, since, episode, openings, resolved_at,
    may_open, config_offset, offset_context, check_at
)
SELECT :workspace_id, r.*
FROM json_to_recordset(CAST(:rows AS json)) AS r (
    account_id text, rule_key text, sequence bigint, phase text, since timestamptz, episode int,
    openings timestamptz[], resolved_at timestamptz, may_open boolean, config_offset double precision,
    offset_context text, check_at timestamptz)
ORDER BY r.account_id COLLATE "C", r.rule_key COLLATE "C"
ON CONFLICT (workspace_id, account_id, rule_key) DO UPDATE SET
    sequence = excluded.sequence, phase = excluded.phase, since = excluded.since,
    episode = excluded.episode, openings = excluded.openings, resolved_at = excluded.resolved_at,
    may_open = excluded.may_open, config_offset = excluded.config_offset, offset_context = excluded.offset_context,
    check_at = excluded.check_at
WHERE s.sequence < excluded.sequence

-- name: claim_waiting
-- Accounts whose alert state may change through time alone. A locked row is being evaluated anyway.
WITH waiting AS (
    SELECT workspace_id, account_id, rule_key FROM alert_state
    WHERE check_at <= :now ORDER BY check_at LIMIT :limit FOR UPDATE SKIP LOCKED
),
taken AS (
    UPDATE alert_state s SET check_at = NULL FROM waiting w
    WHERE s.workspace_id = w.workspace_id AND s.account_id = w.account_id
      AND s.rule_key = w.rule_key
    RETURNING s.workspace_id, s.account_id
)
SELECT DISTINCT workspace_id, account_id FROM taken ORDER BY 1, 2

-- name: swept_workspaces
-- Workspaces with a held notification whose sweep has finished, with no due account left of it.
SELECT w.id FROM workspace w
WHERE EXISTS (
    SELECT FROM alert a WHERE a.workspace_id = w.id AND a.notify_after <= w.swept_on)
  AND NOT EXISTS (
    SELECT FROM due d WHERE d.workspace_id = w.id AND d.priority = :sweep)
ORDER BY w.id

-- name: delete_digests
-- A digest belongs to no account; it names accounts in its body.
DELETE FROM message
WHERE workspace_id = :workspace_id AND type IN ('alert.digested', 'suggestion.digested', 'owner.digested')
  AND EXISTS (
    SELECT FROM unnest(CAST(:ids AS text[])) AS i (id)
    WHERE position(CAST(to_jsonb(i.id) AS text) IN convert_from(body, 'UTF8')) > 0)

-- name: sample_accounts
-- Accounts that churned in the period first, then a sample by a hash of their ids.
SELECT account_id FROM health_score
WHERE workspace_id = :workspace_id AND status <> 'excluded'
  AND (status <> 'churned' OR details #>> '{inputs,paid_until}'
       BETWEEN CAST(CAST(:since AS date) AS text) AND CAST(CAST(:until AS date) AS text))
ORDER BY status = 'churned' DESC, md5(account_id)
LIMIT :limit

-- name: history_days
-- The last row of each day as it was first written, not as restated.
SELECT DISTINCT ON (as_of, account_id) account_id, as_of, status, score, mrr_cents,
       details - 'inputs' AS details,
       CAST(details #>> '{inputs,paid_until}' AS date) AS paid_until
FROM health_history
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
  AND as_of BETWEEN :since AND :until AND restatement = 0
ORDER BY as_of, account_id, change DESC
