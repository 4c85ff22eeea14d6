-- Statements that read the engagement of accounts as of a day, as it was known then.

-- name: tickets
-- Tickets that are open or not older than two of the longest windows. The row of a ticket has its
-- state of today; its moments have what was known on the day. A ticket whose closing became known
-- later was open on the day.
SELECT t.account_id, t.ticket_id, t.user_id,
       (array_agg(m.channel ORDER BY m.at DESC, m.channel DESC)
           FILTER (WHERE m.channel IS NOT NULL))[1],
       (array_agg(m.priority ORDER BY m.at DESC, m.priority DESC)
           FILTER (WHERE m.priority IS NOT NULL))[1],
       min(m.at) FILTER (WHERE m.kind = 'opened') AS opened_at,
       min(m.at) FILTER (WHERE m.kind = 'replied') AS replied_at,
       max(m.at) FILTER (WHERE m.kind = 'closed') AS closed_at,
       max(m.at) FILTER (WHERE m.kind = 'reopened') AS reopened_at,
       min(m.at) FILTER (WHERE m.kind = 'closed') AS first_closed_at
FROM ticket t
JOIN ticket_moment m ON m.workspace_id = t.workspace_id AND m.ticket_id = t.ticket_id
WHERE t.workspace_id = :workspace_id AND t.account_id = ANY(CAST(:account_ids AS text[]))
  AND (t.opened_at >= :since OR t.closed_at IS NULL OR t.closed_at >= :since OR (
      SELECT max(l.known_on) FROM ticket_moment l
      WHERE l.workspace_id = :workspace_id AND l.ticket_id = t.ticket_id AND l.kind = 'closed'
    ) > :as_of)
  AND m.at < :day_end AND m.known_on <= :as_of AND NOT {{by_excluded_author}}
GROUP BY t.workspace_id, t.ticket_id
HAVING bool_or(m.kind = 'opened')
ORDER BY t.account_id, opened_at, t.ticket_id

-- name: responses
SELECT account_id, kind, response_id, user_id, score, at FROM (
    SELECT DISTINCT ON (account_id, kind, user_id IS NULL, coalesce(user_id, response_id)) *
    FROM survey_response r
    WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
      AND at >= :since AND at < :day_end AND known_on <= :as_of AND known_until > :as_of
      AND NOT {{by_excluded_person}}
    ORDER BY account_id, kind, user_id IS NULL, coalesce(user_id, response_id), at DESC,
             response_id
) AS latest
ORDER BY account_id, kind, at DESC, response_id

-- name: feedback
WITH known AS (
    SELECT *, resolved_at < :day_end AND resolved_known_on <= :as_of AS is_resolved
    FROM feedback_item f
    WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
      AND at < :day_end AND known_on <= :as_of AND known_until > :as_of
      AND NOT {{by_excluded_giver}}
)
SELECT account_id, feedback_id, user_id, kind, topic, product_feature, owner, due_on,
       CASE WHEN is_resolved OR resolved_at IS NULL THEN status ELSE 'open' END AS status, at,
       CASE WHEN is_resolved THEN resolved_at END AS resolved_at,
       CASE WHEN is_resolved THEN notified_at END AS notified_at,
       CAST(:as_of AS date) - CAST(at AS date) AS age_days
FROM known WHERE is_resolved IS NOT TRUE OR resolved_at >= :since
ORDER BY account_id, at, feedback_id

-- name: used
-- The usage that a metric counts.
FROM daily_usage u
WHERE u.workspace_id = :workspace_id AND u.account_id = q.account_id
  AND u.day > :window_start AND u.day <= :as_of AND u.known_on <= :as_of
  AND (q.event_names = '{}' OR u.event_name = ANY(q.event_names))
  {{without_excluded_users}}

-- name: reached_ids
SELECT count(DISTINCT u.end_customer_id) FROM daily_reach u
WHERE u.workspace_id = :workspace_id AND u.account_id = q.account_id
  AND u.day > :window_start AND u.day <= :as_of AND u.known_on <= :as_of
  {{without_excluded_users}}

-- name: reached_property
SELECT coalesce(sum(u.quantity), 0) {{used}}

-- name: reached_events
SELECT coalesce(sum(u.events), 0) {{used}}
  AND u.event_name = ANY(CAST(:reach_events AS text[]))

-- name: mrr
-- Unknown if a part of it is in a currency without a rate: a part is never shown as the whole.
WITH period AS (
    SELECT DISTINCT ON (subscription_id, starts_on) * FROM subscription
    WHERE workspace_id = :workspace_id AND account_id = q.account_id
      AND known_on <= :as_of AND starts_on <= CAST(:as_of AS date) + CAST(:grace_days AS int)
    ORDER BY subscription_id, starts_on, known_on DESC),
{{renewals}}
SELECT CASE WHEN bool_and(p.cents IS NOT NULL) THEN sum(p.cents) / 100 END
FROM (SELECT CASE
    WHEN p.currency = :base_currency OR p.mrr_cents = 0 THEN p.mrr_cents
    ELSE p.mrr_cents * (
        SELECT x.rate FROM exchange_rate x
        WHERE x.workspace_id = :workspace_id AND x.currency = p.currency
          AND x.starts_on <= p.starts_on ORDER BY x.starts_on DESC LIMIT 1) END AS cents
    FROM period p LEFT JOIN renewal r USING (account_id, subscription_id, starts_on)
    WHERE starts_on <= :as_of AND coalesce(p.ends_on > starts_on, true)
      AND coalesce(coalesce(r.held_until, p.ends_on) > :as_of, true)) p

-- name: trait
-- Traits have no history: a value that was stated after the day is unknown on that day. So is a
-- text such as 1.500, which is 1500 in some countries.
SELECT CASE WHEN a.traits ->> q.trait ~ '^-?[0-9]{1,15}([.][0-9]{1,15})?$'
             AND NOT (jsonb_typeof(a.traits -> q.trait) = 'string'
                      AND a.traits ->> q.trait ~ '^-?0*[1-9][0-9]{0,2}[.][0-9]{3}$')
           THEN CAST(a.traits ->> q.trait AS double precision) END
FROM account a
WHERE a.workspace_id = :workspace_id AND a.account_id = q.account_id
  AND {{trait_time}} < :day_end

-- name: metric_values
-- ``reached``: by how the workspace counts reach.
SELECT q.account_id, q.n, CAST(CASE q.metric
        WHEN 'events' THEN (SELECT coalesce(sum(u.events), 0) {{used}})
        WHEN 'active_days' THEN (SELECT count(DISTINCT u.day) {{used}})
        WHEN 'active_users' THEN (
            SELECT count(DISTINCT u.user_id) FILTER (WHERE NOT u.is_anonymous) {{used}})
        WHEN 'reach' THEN ({{reached}})
        WHEN 'mrr' THEN ({{mrr}})
        WHEN 'trait' THEN ({{trait}}) END AS double precision) AS value
FROM (SELECT r.account_id COLLATE "C" AS account_id, r.n, r.metric, r.trait, ARRAY(
          SELECT json_array_elements_text(r.event_names)) AS event_names
      FROM json_to_recordset(CAST(:metrics AS json)) AS r (
          account_id text, n int, metric text, event_names json, trait text)) AS q

-- name: incidents
-- A merge may leave an account two versions of a past day: the earlier known one counts.
SELECT DISTINCT ON (a.account_id, i.declared_at, i.incident_id)
       a.account_id, i.incident_id, i.title, i.declared_at,
       CASE WHEN i.ended_at < :day_end AND i.ended_known_on <= :as_of THEN i.ended_at END
           AS ended_at,
       CASE WHEN a.apology_sent_at < :day_end AND a.apology_known_on <= :as_of
            THEN a.apology_sent_at END AS apology_sent_at
FROM incident_account a
JOIN incident i ON i.workspace_id = a.workspace_id AND i.incident_id = a.incident_id
WHERE a.workspace_id = :workspace_id AND a.account_id = ANY(CAST(:account_ids AS text[]))
  AND a.known_on <= :as_of AND a.known_until > :as_of
  AND i.known_on <= :as_of AND i.known_until > :as_of AND i.declared_at < :day_end
  AND (i.ended_at IS NULL OR i.ended_known_on > :as_of OR i.ended_at >= :since)
ORDER BY a.account_id, i.declared_at DESC, i.incident_id, a.known_on

-- name: roles
-- Roles set over the API, and those in the user's ``role`` trait.
SELECT u.account_id, u.user_id, r.role
FROM "user" u
JOIN person_role r ON r.workspace_id = u.workspace_id AND r.user_id = u.user_id
WHERE u.workspace_id = :workspace_id AND u.account_id = ANY(CAST(:account_ids AS text[]))
  AND r.known_on <= :as_of AND coalesce(r.ended_on > :as_of, true) AND NOT u.excluded
UNION
SELECT u.account_id, u.user_id, lower(u.role) FROM "user" u
WHERE u.workspace_id = :workspace_id AND u.account_id = ANY(CAST(:account_ids AS text[]))
  AND lower(u.role) IN ('champion', 'sponsor') AND NOT u.excluded
  AND coalesce(u.traits_at, u.created_at) < :day_end
ORDER BY 1, 2, 3
