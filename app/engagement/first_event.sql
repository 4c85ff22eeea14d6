-- The first event that was ever received. Statements of other packages contain these parts.

-- name: first_event_day
(SELECT min(day) FROM first_use WHERE workspace_id = :workspace_id AND known_on <= {{known_on}})

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
