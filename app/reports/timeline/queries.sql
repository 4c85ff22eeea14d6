-- Parts of the timeline. Each has the columns at, kind, event, id (what the entry links to) and fact.

-- name: page
SELECT * FROM ({{parts}}) AS p ORDER BY p.at DESC, p.key DESC LIMIT :limit

-- name: part
-- The newest entries of a part after the position.
(SELECT * FROM (
    SELECT e.*, e.kind || '/' || e.event || '/' || e.id AS key FROM ({{entries}}) AS e (at, kind, event, id, fact)
    WHERE e.at <= CAST(:at AS timestamptz)
) AS x
WHERE (x.at, x.key COLLATE "C") < (CAST(:at AS timestamptz), CAST(:key AS text) COLLATE "C")
ORDER BY x.at DESC, x.key COLLATE "C" DESC LIMIT :limit)

-- name: of_account
x.workspace_id = :workspace_id AND x.account_id = :account_id

-- name: alert
SELECT v.at, 'alert', v.event, CAST(x.id AS text), jsonb_build_object('name', x.rule_name)
FROM alert x
CROSS JOIN LATERAL (VALUES (x.opened_at, 'opened'), (x.resolved_at, 'resolved')) AS v (at, event)
WHERE {{of_account}}

-- name: intervention
SELECT v.at, 'intervention', v.event, CAST(x.id AS text),
       jsonb_build_object('playbook', x.playbook, 'texts', x.details -> 'texts', 'reason', x.reason)
FROM intervention x
CROSS JOIN LATERAL (VALUES
    (x.decided_at, CASE WHEN x.state = 'dismissed' THEN 'dismissed' ELSE 'accepted' END),
    (x.done_at, 'done')
) AS v (at, event)
WHERE {{of_account}}

-- name: terms
-- The periods of subscriptions as known now, each with the period before it and after it.
SELECT s.*, {{midnight_of_start}} AS at,
       lag(s.starts_on) OVER w AS start_before, lag(s.ends_on) OVER w AS end_before,
       lag(s.mrr_cents) OVER w AS cents_before, lag(s.currency) OVER w AS currency_before,
       lag(s.plan) OVER w AS plan_before, lag(s.seats) OVER w AS seats_before,
       lead(s.starts_on) OVER w AS next_start
FROM (
    SELECT DISTINCT ON (x.subscription_id, x.starts_on) x.* FROM subscription x
    WHERE {{of_account}} ORDER BY x.subscription_id, x.starts_on, x.known_on DESC
) AS s
WHERE s.ends_on IS NULL OR s.ends_on > s.starts_on
WINDOW w AS (PARTITION BY s.subscription_id ORDER BY s.starts_on)

-- name: midnight_of_start
CAST(s.starts_on AS timestamp) AT TIME ZONE 'UTC'

-- name: goes_on
t.start_before IS NOT NULL AND (t.end_before IS NULL OR t.end_before >= t.starts_on)

-- name: of_period
t.subscription_id || '/' || CAST(t.starts_on AS text)

-- name: subscription
SELECT t.at, 'subscription', 'began', {{of_period}},
       jsonb_build_object('cents', t.mrr_cents, 'currency', t.currency, 'plan',
           coalesce((SELECT p.name FROM plan p
                     WHERE p.workspace_id = :workspace_id AND p.key = t.plan), t.plan))
FROM ({{terms}}) AS t WHERE NOT ({{goes_on}})
UNION ALL
SELECT CAST(t.ends_on AS timestamp) AT TIME ZONE 'UTC', 'subscription', 'ended', {{of_period}},
       jsonb_build_object('reason', t.end_reason)
FROM ({{terms}}) AS t
WHERE t.ends_on IS NOT NULL AND (t.next_start IS NULL OR t.next_start > t.ends_on)

-- name: price
SELECT t.at, 'price', CASE WHEN t.mrr_cents > t.cents_before THEN 'rose' ELSE 'fell' END,
       {{of_period}}, jsonb_build_object(
           'before', t.cents_before, 'after', t.mrr_cents, 'currency', t.currency)
FROM ({{terms}}) AS t
WHERE {{goes_on}} AND t.mrr_cents <> t.cents_before AND t.currency = t.currency_before

-- name: plan
SELECT t.at, 'plan', 'changed', {{of_period}}, jsonb_build_object(
    'before', coalesce((SELECT p.name FROM plan p
        WHERE p.workspace_id = :workspace_id AND p.key = t.plan_before), t.plan_before),
    'after', coalesce((SELECT p.name FROM plan p
        WHERE p.workspace_id = :workspace_id AND p.key = t.plan), t.plan))
FROM ({{terms}}) AS t WHERE {{goes_on}} AND t.plan <> t.plan_before

-- name: seats
SELECT t.at, 'seats', 'changed', {{of_period}},
       jsonb_build_object('before', t.seats_before, 'after', t.seats)
FROM ({{terms}}) AS t WHERE {{goes_on}} AND t.seats <> t.seats_before

-- name: scorecard
SELECT x.activated_at, 'scorecard', 'activated', CAST(x.version AS text),
       jsonb_build_object('version', CAST(x.version AS text))
FROM scorecard x WHERE x.workspace_id = :workspace_id AND x.activated_at IS NOT NULL

-- name: ticket
SELECT v.at, 'ticket', v.event, CAST(x.ticket_id AS text),
       jsonb_build_object('subject', x.subject)
FROM ticket x
CROSS JOIN LATERAL (VALUES (x.opened_at, 'opened'), (x.closed_at, 'closed')) AS v (at, event)
WHERE {{of_account}}

-- name: answer
SELECT x.at, 'answer', CAST(x.kind AS text), CAST(x.response_id AS text),
       jsonb_build_object('score', x.score, 'person', u.name)
FROM survey_response x {{user_of}}
WHERE {{of_account}} AND x.known_until = DATE '9999-12-31'

-- name: user_of
LEFT JOIN "user" u ON u.workspace_id = x.workspace_id AND u.user_id = x.user_id

-- name: feedback
SELECT v.at, 'feedback', v.event, CAST(x.feedback_id AS text),
       jsonb_build_object('topic', x.topic, 'person', u.name)
FROM feedback_item x {{user_of}}
CROSS JOIN LATERAL (VALUES
    (x.at, CAST(x.kind AS text)), (x.resolved_at, CAST(x.status AS text))
) AS v (at, event)
WHERE {{of_account}} AND x.known_until = DATE '9999-12-31'

-- name: goal
SELECT CAST(v.day AS timestamp) AT TIME ZONE 'UTC', 'goal', v.event, CAST(x.goal_id AS text),
       jsonb_build_object('title', x.title, 'due_on', x.due_on)
FROM goal x
CROSS JOIN LATERAL (VALUES (x.starts_on, 'began'), (x.closed_on, 'closed')) AS v (day, event)
WHERE {{of_account}} AND x.known_until = DATE '9999-12-31'

-- name: incident
SELECT v.at, 'incident', v.event, CAST(x.incident_id AS text),
       jsonb_build_object('title', i.title)
FROM incident_account x
JOIN incident i ON i.workspace_id = x.workspace_id AND i.incident_id = x.incident_id
    AND i.known_until = DATE '9999-12-31'
CROSS JOIN LATERAL (VALUES
    (i.declared_at, 'began'), (i.ended_at, 'ended'), (x.apology_sent_at, 'apology')
) AS v (at, event)
WHERE {{of_account}} AND x.known_until = DATE '9999-12-31'

-- name: onboarding
SELECT min(x.done_at), 'onboarding', 'done', CAST(x.step_key AS text),
       jsonb_build_object('step', coalesce(min(o.name), x.step_key))
FROM onboarding_completion x
LEFT JOIN onboarding_step o ON o.workspace_id = x.workspace_id AND o.key = x.step_key
WHERE {{of_account}} GROUP BY x.step_key

-- name: use
SELECT CAST(min(x.day) AS timestamp) AT TIME ZONE 'UTC', 'use', 'first', '', CAST('{}' AS jsonb)
FROM first_use x WHERE {{of_account}} HAVING min(x.day) IS NOT NULL
UNION ALL
SELECT CAST(x.last_used_on AS timestamp) AT TIME ZONE 'UTC', 'use', 'last', '', CAST('{}' AS jsonb)
FROM health_score x WHERE {{of_account}} AND x.last_used_on IS NOT NULL

-- name: people
-- People who joined, and who used the product for a while and then not for weeks, by day.
SELECT p.at, 'people', p.event, CAST(CAST(p.at AS date) AS text), jsonb_build_object(
    'count', count(*), 'names', (array_agg(p.name ORDER BY p.name) FILTER (WHERE p.name <> ''))[1:3])
FROM (
    SELECT date_trunc('day', coalesce(x.account_since, x.created_at), 'UTC') AS at,
           'joined' AS event, x.name
    FROM "user" x WHERE {{of_account}} AND NOT x.excluded
    UNION ALL
    SELECT CAST(l.last_day + CAST(:silent_days AS int) AS timestamp) AT TIME ZONE 'UTC', 'silent',
           u.name
    FROM (
        SELECT x.user_id, max(x.day) AS last_day FROM daily_usage x
        WHERE {{of_account}} AND NOT x.is_anonymous
          AND x.day > CAST(:today AS date) - CAST(:usage_days AS int)
        GROUP BY x.user_id
        HAVING max(x.day) <= CAST(:today AS date) - CAST(:silent_days AS int)
           AND max(x.day) - min(x.day) >= :used_days
    ) AS l
    JOIN "user" u ON u.workspace_id = :workspace_id AND u.user_id = l.user_id
    WHERE u.account_id = :account_id AND NOT u.excluded
) AS p
GROUP BY p.at, p.event

-- name: signal
SELECT v.at, 'signal', v.event, CAST(x.id AS text), jsonb_build_object(
    'signal', x.signal, 'severity', x.severity, 'since', x.since, 'evidence', x.evidence,
    'key', x.key)
FROM account_signal x
CROSS JOIN LATERAL (VALUES (x.opened_at, 'opened'), (x.cleared_at, 'cleared')) AS v (at, event)
WHERE {{of_account}}

-- name: note
SELECT x.at, CAST(x.kind AS text), 'written', CAST(x.id AS text),
       jsonb_build_object('author', x.author, 'text', x.text)
FROM note x WHERE {{of_account}} AND x.kind = ANY(CAST(:kinds AS text[]))

-- name: task
SELECT v.at, 'task', v.event, CAST(x.id AS text),
       jsonb_build_object('title', x.title, 'person', v.person)
FROM task x
CROSS JOIN LATERAL (VALUES
    (x.created_at, 'created', x.author), (x.done_at, 'done', x.done_by)
) AS v (at, event, person)
WHERE {{of_account}}

-- name: sentiment
SELECT x.at, 'sentiment', 'stated', CAST(x.id AS text),
       jsonb_build_object('author', x.author, 'value', x.value, 'reason', x.reason)
FROM sentiment x WHERE {{of_account}}
