-- The first event that was ever received. Statements of other packages contain these parts.

-- name: first_event_day
-- The expressions are those of the index of days.
(SELECT min(day + 0) FROM first_use
 WHERE workspace_id || '' = :workspace_id AND known_on <= {{known_on}})

-- name: find_first_event_day
SELECT {{first_event_day}}

-- name: account_began_on
-- When the account ``a`` started, began a trial or paid, whichever is first. Null: not known.
least(a.started_on, a.trial_started_on, (
    SELECT min(known.starts_on) FROM (
        SELECT DISTINCT ON (s.subscription_id, s.starts_on) s.starts_on, s.ends_on, s.mrr_cents
        FROM subscription s
        WHERE s.workspace_id = :workspace_id AND s.account_id = a.account_id
          AND s.known_on <= {{known_on}}
        ORDER BY s.subscription_id, s.starts_on, s.known_on DESC
    ) AS known
    WHERE known.mrr_cents > 0 AND coalesce(known.ends_on > known.starts_on, true)))

-- name: source_days
-- By event name: the first event, of any name, of the sources that sent it by then. A key continues
-- the source of an older key of its name that has an end: that was rotated, revoked or expires.
WITH key_day AS (
    SELECT key_id, min(first_day) AS day FROM source_event_name
    WHERE workspace_id = :workspace_id GROUP BY key_id
)
SELECT n.name, min(least(s.day, older.day)) AS day
FROM source_event_name n
JOIN key_day s ON s.key_id = n.key_id
LEFT JOIN LATERAL (
    SELECT min(d.day) AS day
    FROM api_key k
    JOIN api_key o ON o.workspace_id = k.workspace_id AND o.name = k.name
        AND o.id <> k.id AND o.created_at <= k.created_at
        AND (o.revoked_at IS NOT NULL OR o.expires_at IS NOT NULL)
    JOIN key_day d ON d.key_id = o.id
    WHERE k.workspace_id = :workspace_id AND k.id = n.key_id
) AS older ON true
WHERE n.workspace_id = :workspace_id AND n.first_day <= {{known_on}}
GROUP BY n.name

-- name: find_source_days
SELECT name, day FROM ({{source_days}}) AS d WHERE name = ANY(CAST(:names AS text[]))

-- name: reported_from
-- The day from which on the events :event_names are reported: before it their absence says nothing.
greatest({{first_event_day}}, (
    SELECT min(day) FROM ({{source_days}}) AS d WHERE name = ANY(CAST(:event_names AS text[]))))
