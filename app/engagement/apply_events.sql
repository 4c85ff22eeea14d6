-- Statements that write rows of semantic events, a set at a time, in key order.

-- name: rows
json_to_recordset(CAST(:rows AS json))

-- name: common
-- The columns of every event.
n int, account_id text COLLATE "C", user_id text, at timestamptz, known_on date

-- name: completion
INSERT INTO onboarding_completion AS c (
    workspace_id, account_id, step_key, known_on, user_id, done_at
)
SELECT :workspace_id, r.account_id, r.step_key, r.known_on, coalesce(r.user_id, ''), min(r.at)
FROM {{rows}} AS r ({{common}}, step_key text COLLATE "C") GROUP BY 2, 3, 4, 5
ORDER BY 2, 3, 4, 5
ON CONFLICT (workspace_id, account_id, step_key, known_on, user_id)
DO UPDATE SET done_at = least(c.done_at, excluded.done_at)

-- name: ticket
-- Account and user are those of the earliest event that has them.
INSERT INTO ticket AS t (workspace_id, ticket_id, account_id, user_id)
SELECT :workspace_id, r.ticket_id,
       (array_agg(r.account_id ORDER BY r.at, r.n) FILTER (WHERE r.account_id IS NOT NULL))[1],
       (array_agg(r.user_id ORDER BY r.at, r.n) FILTER (WHERE r.user_id IS NOT NULL))[1]
FROM {{rows}} AS r ({{common}}, ticket_id text COLLATE "C")
GROUP BY r.ticket_id ORDER BY r.ticket_id
ON CONFLICT (workspace_id, ticket_id) DO UPDATE SET
    account_id = coalesce(t.account_id, excluded.account_id),
    user_id = coalesce(t.user_id, excluded.user_id)

-- name: moment
INSERT INTO ticket_moment (
    workspace_id, ticket_id, kind, at, known_on, subject, priority, channel)
SELECT :workspace_id, r.ticket_id, r.kind, r.at, r.known_on, r.subject, r.priority, r.channel
FROM {{rows}} AS r ({{common}}, ticket_id text COLLATE "C", kind text, subject text,
    priority text, channel text)
ORDER BY 2, 3, 4, 5, r.n
ON CONFLICT DO NOTHING

-- name: summarize_tickets
-- Update the ticket rows, which lists read, from their moments; return the accounts of the tickets.
UPDATE ticket t SET subject = m.subject, priority = m.priority, channel = m.channel,
    opened_at = m.opened_at, replied_at = m.replied_at,
    closed_at = CASE WHEN m.reopened_at > m.closed_at THEN NULL ELSE m.closed_at END
FROM (
    SELECT ticket_id, min(at) FILTER (WHERE kind = 'opened') AS opened_at,
           min(at) FILTER (WHERE kind = 'replied') AS replied_at,
           max(at) FILTER (WHERE kind = 'closed') AS closed_at,
           max(at) FILTER (WHERE kind = 'reopened') AS reopened_at,
           (array_agg(subject ORDER BY at DESC) FILTER (WHERE subject IS NOT NULL))[1] AS subject,
           (array_agg(priority ORDER BY at DESC) FILTER (WHERE priority IS NOT NULL))[1]
               AS priority,
           (array_agg(channel ORDER BY at DESC) FILTER (WHERE channel IS NOT NULL))[1] AS channel
    FROM ticket_moment
    WHERE workspace_id = :workspace_id AND ticket_id = ANY(CAST(:ids AS text[]))
    GROUP BY ticket_id) m
WHERE t.workspace_id = :workspace_id AND t.ticket_id = m.ticket_id
RETURNING t.account_id

-- name: response
INSERT INTO survey_response AS s (
    workspace_id, response_id, account_id, user_id, kind, score, comment, ticket_id, at, known_on)
SELECT DISTINCT ON (r.response_id) :workspace_id, r.response_id, r.account_id, r.user_id, r.kind,
       r.score, r.comment, r.ticket_id, r.at, r.known_on
FROM {{rows}} AS r ({{common}}, response_id text COLLATE "C", kind text, score float8, comment text,
    ticket_id text)
ORDER BY r.response_id, r.at DESC, r.n DESC
ON CONFLICT (workspace_id, response_id) DO UPDATE SET
    user_id = coalesce(excluded.user_id, s.user_id), kind = excluded.kind, score = excluded.score,
    comment = coalesce(excluded.comment, s.comment),
    ticket_id = coalesce(excluded.ticket_id, s.ticket_id), at = excluded.at,
    known_on = excluded.known_on
WHERE s.account_id = excluded.account_id AND excluded.at >= s.at

-- name: feedback
INSERT INTO feedback_item AS f (
    workspace_id, feedback_id, account_id, user_id, kind, text, topic, product_feature, owner,
    due_on, at, known_on)
SELECT DISTINCT ON (r.feedback_id) :workspace_id, r.feedback_id, r.account_id, r.user_id, r.kind,
       r.text, r.topic, r.product_feature, r.owner, r.due_on, r.at, r.known_on
FROM {{rows}} AS r ({{common}}, feedback_id text COLLATE "C", kind text, text text, topic text,
    product_feature text, owner text, due_on date)
ORDER BY r.feedback_id, r.at DESC, r.n DESC
ON CONFLICT (workspace_id, feedback_id) DO UPDATE SET
    kind = excluded.kind, text = coalesce(excluded.text, f.text),
    topic = coalesce(excluded.topic, f.topic),
    product_feature = coalesce(excluded.product_feature, f.product_feature),
    owner = coalesce(excluded.owner, f.owner), due_on = coalesce(excluded.due_on, f.due_on)
WHERE f.account_id = excluded.account_id

-- name: resolution
UPDATE feedback_item f SET status = r.status, answer = coalesce(r.answer, f.answer),
    resolved_at = r.at, resolved_known_on = r.known_on, notified_at = r.at
FROM (SELECT DISTINCT ON (feedback_id) *
      FROM {{rows}} AS r ({{common}}, feedback_id text COLLATE "C", status text, answer text)
      ORDER BY feedback_id, at DESC, n DESC) r
WHERE f.workspace_id = :workspace_id AND f.feedback_id = r.feedback_id
  AND coalesce(f.resolved_at <= r.at, true)

-- name: feedback_ids
SELECT feedback_id FROM feedback_item
WHERE workspace_id = :workspace_id AND feedback_id = ANY(CAST(:ids AS text[]))

-- name: goal
INSERT INTO goal AS g (
    workspace_id, goal_id, account_id, title, metric, event_names, trait, baseline, target,
    starts_on, due_on, known_on)
SELECT DISTINCT ON (r.goal_id) :workspace_id, r.goal_id, r.account_id, r.title, r.metric,
       ARRAY(SELECT json_array_elements_text(r.event_names)), r.trait, r.baseline, r.target,
       CAST(r.at AS date), r.due_on, r.known_on
FROM {{rows}} AS r ({{common}}, goal_id text COLLATE "C", title text, metric text,
    event_names json, trait text, baseline float8, target float8, due_on date)
ORDER BY r.goal_id, r.at DESC, r.n DESC
ON CONFLICT (workspace_id, goal_id) DO UPDATE SET
    title = excluded.title, metric = excluded.metric, event_names = excluded.event_names,
    trait = excluded.trait, baseline = excluded.baseline, target = excluded.target,
    due_on = excluded.due_on
WHERE g.account_id = excluded.account_id AND excluded.starts_on >= g.starts_on

-- name: incident
INSERT INTO incident AS i (workspace_id, incident_id, title, declared_at, known_on)
SELECT :workspace_id, r.incident_id, max(r.title), min(r.at), min(r.known_on)
FROM {{rows}} AS r ({{common}}, incident_id text COLLATE "C", title text)
GROUP BY r.incident_id ORDER BY r.incident_id
ON CONFLICT (workspace_id, incident_id) DO UPDATE SET
    title = coalesce(i.title, excluded.title),
    declared_at = least(i.declared_at, excluded.declared_at)

-- name: affected
-- Only existing accounts: the list may contain erased ids.
INSERT INTO incident_account (workspace_id, incident_id, account_id, known_on)
SELECT :workspace_id, r.incident_id, a.account_id, min(r.known_on)
FROM {{rows}} AS r ({{common}}, incident_id text COLLATE "C", account_ids json)
CROSS JOIN json_array_elements_text(r.account_ids) AS x (id)
JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = x.id
GROUP BY r.incident_id, a.account_id ORDER BY 2, 3
ON CONFLICT DO NOTHING
RETURNING account_id

-- name: incident_end
UPDATE incident i SET ended_at = r.at, ended_known_on = r.known_on
FROM (SELECT DISTINCT ON (incident_id) *
      FROM {{rows}} AS r ({{common}}, incident_id text COLLATE "C")
      ORDER BY incident_id, at DESC, n DESC) r
WHERE i.workspace_id = :workspace_id AND i.incident_id = r.incident_id
  AND coalesce(i.ended_at <= r.at, true)

-- name: incident_ids
SELECT incident_id FROM incident
WHERE workspace_id = :workspace_id AND incident_id = ANY(CAST(:ids AS text[]))

-- name: apology
-- For the given accounts, else for all affected ones. The earliest apology counts.
UPDATE incident_account a SET apology_sent_at = r.at, apology_known_on = r.known_on
FROM (SELECT r.incident_id, x.id, min(r.at) AS at, min(r.known_on) AS known_on
      FROM {{rows}} AS r ({{common}}, incident_id text COLLATE "C", account_ids json)
      LEFT JOIN json_array_elements_text(r.account_ids) AS x (id) ON true
      GROUP BY r.incident_id, x.id) r
WHERE a.workspace_id = :workspace_id AND a.incident_id = r.incident_id
  AND coalesce(a.account_id = r.id, true) AND coalesce(a.apology_sent_at > r.at, true)
RETURNING a.account_id

-- name: incident_accounts
SELECT DISTINCT account_id FROM incident_account
WHERE workspace_id = :workspace_id AND incident_id = ANY(CAST(:ids AS text[]))
