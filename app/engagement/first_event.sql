-- The first event that was ever received. Statements of other packages contain these parts.

-- name: first_event_day
(SELECT min(day) FROM first_use WHERE workspace_id = :workspace_id AND known_on <= {{known_on}})

-- name: find_first_event_day
SELECT {{first_event_day}}

-- name: account_began_on
-- When the account ``a`` started, began a trial or paid, whichever is first. Null: not known.
least(a.started_on, a.trial_started_on, (
    SELECT min(s.starts_on) FROM subscription s
    WHERE s.workspace_id = :workspace_id AND s.account_id = a.account_id AND s.mrr_cents > 0
      AND s.known_on <= {{known_on}} AND coalesce(s.ends_on > s.starts_on, true)))
