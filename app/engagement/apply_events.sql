-- Statements that write rows of semantic events, a set at a time, in key order.

-- name: rows
json_to_recordset(CAST(:rows AS json))

-- name: common
-- The columns of every event.
account_id text COLLATE "C", user_id text, at timestamptz, known_on date

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
-- Account and user are those of the earliest event that has them, whenever it arrives. Rows without
-- the times are older than these columns, and keep their account and user.
INSERT INTO ticket AS t (workspace_id, ticket_id, account_id, account_at, user_id, user_at)
SELECT :workspace_id, r.ticket_id,
       (array_agg(r.account_id ORDER BY r.at, r.account_id) FILTER ({{has_account}}))[1],
       min(r.at) FILTER ({{has_account}}),
       (array_agg(r.user_id ORDER BY r.at, r.user_id) FILTER ({{has_user}}))[1],
       min(r.at) FILTER ({{has_user}})
FROM {{rows}} AS r ({{common}}, ticket_id text COLLATE "C")
GROUP BY r.ticket_id ORDER BY r.ticket_id
ON CONFLICT (workspace_id, ticket_id) DO UPDATE SET
    account_id = CASE WHEN {{earlier_account}} THEN excluded.account_id ELSE t.account_id END,
    account_at = CASE WHEN {{earlier_account}} THEN excluded.account_at ELSE t.account_at END,
    user_id = CASE WHEN {{earlier_user}} THEN excluded.user_id ELSE t.user_id END,
    user_at = CASE WHEN {{earlier_user}} THEN excluded.user_at ELSE t.user_at END

-- name: has_account
WHERE r.account_id IS NOT NULL

-- name: has_user
WHERE r.user_id IS NOT NULL

-- name: earlier_account
excluded.account_id IS NOT NULL AND (t.account_id IS NULL
    OR coalesce((excluded.account_at, excluded.account_id) < (t.account_at, t.account_id), false))

-- name: earlier_user
excluded.user_id IS NOT NULL AND (t.user_id IS NULL
    OR coalesce((excluded.user_at, excluded.user_id) < (t.user_at, t.user_id), false))

-- name: moment
-- Of two events with the same time and different fields, the greater field counts.
INSERT INTO ticket_moment AS m (
    workspace_id, ticket_id, kind, at, known_on, subject, priority, channel)
SELECT :workspace_id, r.ticket_id, r.kind, r.at, r.known_on,
       max(r.subject), max(r.priority), max(r.channel)
FROM {{rows}} AS r ({{common}}, ticket_id text COLLATE "C", kind text COLLATE "C", subject text,
    priority text, channel text)
GROUP BY 2, 3, 4, 5 ORDER BY 2, 3, 4, 5
ON CONFLICT (workspace_id, ticket_id, kind, at, known_on) DO UPDATE SET
    subject = greatest(m.subject, excluded.subject),
    priority = greatest(m.priority, excluded.priority),
    channel = greatest(m.channel, excluded.channel)

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
           (array_agg(subject ORDER BY at DESC, subject DESC)
               FILTER (WHERE subject IS NOT NULL))[1] AS subject,
           (array_agg(priority ORDER BY at DESC, priority DESC)
               FILTER (WHERE priority IS NOT NULL))[1] AS priority,
           (array_agg(channel ORDER BY at DESC, channel DESC)
               FILTER (WHERE channel IS NOT NULL))[1] AS channel
    FROM ticket_moment
    WHERE workspace_id = :workspace_id AND ticket_id = ANY(CAST(:ids AS text[]))
    GROUP BY ticket_id) m
WHERE t.workspace_id = :workspace_id AND t.ticket_id = m.ticket_id
RETURNING t.account_id

-- name: feedback_ids
SELECT feedback_id FROM feedback_item
WHERE workspace_id = :workspace_id AND feedback_id = ANY(CAST(:ids AS text[]))

-- name: incident_ids
SELECT incident_id FROM incident
WHERE workspace_id = :workspace_id AND incident_id = ANY(CAST(:ids AS text[]))

-- name: existing_accounts
SELECT account_id FROM account
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:ids AS text[]))
