-- name: facts
-- What an account of the page needs, as one row of JSON for each fact; the first of each kind first.
{{alerts}} UNION ALL {{pending}} UNION ALL {{suggestions}} UNION ALL {{tasks}} UNION ALL {{signals}}
UNION ALL {{names}}

-- name: alerts
SELECT a.account_id, 'alert' AS kind, jsonb_build_object(
    'id', a.id, 'rule', a.rule_key, 'name', a.rule_name, 'severity', a.severity,
    'opened_at', a.opened_at) AS fact
FROM (
    SELECT x.* FROM alert x
    WHERE {{of_page}} AND x.resolved_at IS NULL AND x.acknowledged_at IS NULL
      AND NOT EXISTS (
        SELECT FROM alert_state s
        WHERE s.workspace_id = x.workspace_id AND s.account_id = x.account_id
          AND s.rule_key = x.rule_key AND s.snoozed_until > :now)
    ORDER BY CASE x.severity WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, x.opened_at, x.id
) AS a

-- name: pending
SELECT s.account_id, 'pending', jsonb_build_object(
    'rule', s.rule_key, 'name', s.name, 'since', s.since, 'opens_at', s.check_at)
FROM (
    SELECT x.*, r.config ->> 'name' AS name FROM alert_state x
    LEFT JOIN alert_rule r
        ON r.workspace_id = x.workspace_id AND r.key = x.rule_key AND r.active
    WHERE {{of_page}} AND x.phase = 'pending' AND x.may_open
    ORDER BY x.check_at, x.rule_key
) AS s

-- name: suggestions
SELECT account_id, 'suggestion', jsonb_build_object(
    'id', id, 'playbook', playbook, 'texts', details -> 'texts', 'value_cents', value_cents)
FROM (
    SELECT DISTINCT ON (account_id) * FROM intervention x
    WHERE {{of_page}} AND x.state = 'suggested' ORDER BY account_id, rank, id
) AS i

-- name: tasks
SELECT account_id, 'task', jsonb_build_object(
    'id', id, 'title', title, 'owner', owner, 'due_on', due_on)
FROM (
    SELECT x.* FROM task x
    WHERE {{of_page}} AND x.done_at IS NULL AND x.due_on <= :today
    ORDER BY x.due_on, x.id
) AS t

-- name: signals
-- The most severe open signal; of equally severe ones the cause.
SELECT account_id, 'signal', jsonb_build_object(
    'signal', signal, 'severity', severity, 'since', since, 'evidence', evidence, 'key', key,
    'user_name', user_name)
FROM (
    SELECT DISTINCT ON (x.account_id) x.*, u.name AS user_name
    FROM account_signal x
    LEFT JOIN "user" u
        ON u.workspace_id = x.workspace_id AND u.user_id = x.evidence ->> 'user_id'
    WHERE {{of_page}} AND x.cleared_at IS NULL AND x.severity <> 'info'
    ORDER BY x.account_id, CASE x.severity WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END,
        array_position(CAST(:signals AS text[]), CAST(x.signal AS text)), x.since, x.id
) AS s

-- name: names
SELECT '', 'feature', jsonb_build_object('key', key, 'name', name) FROM product_feature
WHERE workspace_id = :workspace_id

-- name: of_page
x.workspace_id = :workspace_id AND x.account_id = ANY(CAST(:account_ids AS text[]))
