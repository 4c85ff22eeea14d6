-- name: ingest
-- One statement stores and counts a batch.
-- Every INSERT gets its rows in key order. PostgreSQL runs the CTEs that the final SELECT does not
-- read from the last to the first. So concurrent batches take their locks in the same order.
-- Scalar subqueries instead of NOT EXISTS: the planner turns NOT EXISTS into a join, and a plan
-- made while the tables are small uses a hash join.
WITH input AS MATERIALIZED (
    SELECT r.n, r.message_id, r.client_at, r.occurred_at, r.day, r.untimed, r.kind, r.name,
           r.counted, r.user_id, r.anonymous_id, r.end_customers, r.quantity, r.sdk,
           r.skew_seconds, r.fingerprint, r.properties,
           CASE WHEN :historical THEN r.day ELSE CAST(:received_on AS date) END AS known_on,
           :historical OR r.day < CAST(:received_on AS date) AS late,
           {{account}} AS account_id, {{account_by}} AS account_by
    FROM json_to_recordset(CAST(:rows AS json)) AS r (
        n int, message_id text, client_at timestamptz, occurred_at timestamptz, day date,
        untimed bool, kind text, name text, counted text, account_id text, user_id text,
        anonymous_id text, end_customers json, quantity bigint, sdk text, skew_seconds int,
        fingerprint bigint, properties jsonb
    )
),
stored AS (
    INSERT INTO event (
        workspace_id, client_at, message_id, occurred_at, received_at, kind, name, account_id,
        user_id, anonymous_id, key_id, sdk, skew_seconds, fingerprint, properties, account_by,
        known_on
    )
    SELECT :workspace_id, client_at, message_id, occurred_at, :received_at, kind, name, account_id,
           user_id, anonymous_id, :key_id, sdk, skew_seconds, fingerprint, properties,
           CASE WHEN account_id IS NOT NULL THEN account_by END,
           nullif(known_on, CAST(CAST(:received_at AS timestamptz) AS date))
    FROM input i
    {{unless_known}}
    ORDER BY client_at, message_id
    ON CONFLICT DO NOTHING
    RETURNING client_at, message_id
),
waiting AS (
    {{store_waiting}}
),
judged AS MATERIALIZED (
    SELECT i.n, i.sdk, i.late, s.message_id IS NOT NULL AS is_new, w.message_id IS NOT NULL AS waits
    FROM input i
    LEFT JOIN stored s USING (client_at, message_id)
    LEFT JOIN waiting w USING (client_at, message_id)
),
fresh AS MATERIALIZED (
    SELECT i.* FROM input i JOIN stored s USING (client_at, message_id)
    WHERE i.account_id IS NOT NULL
),
first_days AS (
    SELECT account_id, known_on, min(day) AS day, min(min(day)) OVER (
               PARTITION BY account_id ORDER BY known_on
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS known_before
    FROM fresh WHERE counted IS NOT NULL GROUP BY account_id, known_on
),
earlier AS MATERIALIZED (
    SELECT account_id, known_on, day FROM first_days d
    WHERE coalesce(day < known_before, true) AND (
        SELECT 1 FROM first_use x
        WHERE x.workspace_id = :workspace_id AND x.account_id = d.account_id
          AND x.known_on <= d.known_on AND x.day <= d.day LIMIT 1) IS NULL
),
marked_due AS (
    INSERT INTO due (workspace_id, account_id, priority, notify, used_since)
    SELECT :workspace_id, account_id, CASE WHEN bool_and(late) THEN 1 ELSE 0 END,
           NOT bool_and(late), CASE WHEN :only_use THEN min(day) END
    FROM fresh WHERE NOT :historical GROUP BY account_id
),
counted_reach AS (
    INSERT INTO daily_reach (
        workspace_id, account_id, day, known_on, end_customer_id, user_id, is_anonymous
    )
    SELECT DISTINCT :workspace_id, account_id, day, known_on, e.id COLLATE "C",
           coalesce(user_id, anonymous_id, ''), user_id IS NULL
    FROM fresh, json_array_elements_text(end_customers) AS e (id)
    ORDER BY 2, 3, 4, 5, 6, 7
    ON CONFLICT DO NOTHING
),
counted_usage AS (
    INSERT INTO daily_usage AS u (
        workspace_id, account_id, day, known_on, user_id, is_anonymous, event_name, events, quantity
    )
    SELECT :workspace_id, account_id, day, known_on, coalesce(user_id, anonymous_id, ''),
           user_id IS NULL, counted, count(*), sum(quantity)
    FROM fresh WHERE counted IS NOT NULL
    GROUP BY 2, 3, 4, 5, 6, 7
    ORDER BY 2, 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, account_id, day, known_on, user_id, is_anonymous, event_name)
    DO UPDATE SET events = u.events + excluded.events, quantity = u.quantity + excluded.quantity
),
first_uses AS (
    INSERT INTO first_use AS f (workspace_id, account_id, known_on, day)
    SELECT :workspace_id, account_id, known_on, day FROM earlier ORDER BY account_id, known_on
    ON CONFLICT (workspace_id, account_id, known_on)
    DO UPDATE SET day = least(f.day, excluded.day)
),
new_users AS (
    INSERT INTO "user" (workspace_id, user_id, account_id)
    SELECT :workspace_id, user_id, min(account_id)
    FROM fresh f
    WHERE user_id IS NOT NULL AND (
        SELECT 1 FROM "user" u
        WHERE u.workspace_id = :workspace_id AND u.user_id = f.user_id) IS NULL
    GROUP BY user_id ORDER BY user_id
    ON CONFLICT DO NOTHING
    {{mark_new_users}}
),
new_accounts AS (
    INSERT INTO account (workspace_id, account_id)
    SELECT :workspace_id, account_id
    FROM (SELECT account_id FROM earlier
          UNION SELECT account_id FROM fresh WHERE counted IS NULL) AS seen
    ORDER BY account_id
    ON CONFLICT DO NOTHING
)
{{count_batch}}
SELECT n, CASE WHEN waits THEN 'unattributed' ELSE 'duplicate' END AS verdict
FROM judged WHERE NOT is_new

-- name: account
-- The account that the event names, else that of its user, else that of its anonymous visitor.
coalesce(
    r.account_id,
    (SELECT {{member_account}} FROM "user" u
     WHERE u.workspace_id = :workspace_id AND u.user_id = r.user_id),
    (SELECT {{member_account}} FROM user_alias a
     JOIN "user" u ON u.workspace_id = a.workspace_id AND u.user_id = a.user_id
     WHERE a.workspace_id = :workspace_id AND a.anonymous_id = r.anonymous_id
       AND r.user_id IS NULL)
)

-- name: member_account
-- While a merge moves the users of an account, some are still stored under the old id.
coalesce(
    (SELECT x.target_id FROM account_alias x
     WHERE x.workspace_id = :workspace_id AND x.account_id = u.account_id),
    u.account_id)

-- name: account_by
CASE WHEN r.account_id IS NOT NULL THEN NULL
    WHEN r.user_id IS NOT NULL THEN 'user' ELSE 'alias' END

-- name: unless_known
WHERE (account_id IS NOT NULL OR kind IN ('identify', 'alias'))
  AND (SELECT 1 FROM unattributed_event w
       WHERE w.workspace_id = :workspace_id AND w.client_at = i.client_at
         AND w.message_id = i.message_id) IS NULL
  AND {{unless_untimed_nearby}}

-- name: unless_untimed_nearby
-- Two days on both sides: midnight may have passed since the first try, and the clock may have been
-- set forward or back by a day.
CASE WHEN untimed THEN coalesce(
    (SELECT 1 FROM event e
     WHERE e.workspace_id = :workspace_id AND e.message_id = i.message_id
       AND e.client_at IN ({{nearby_days}}) LIMIT 1),
    (SELECT 1 FROM unattributed_event w
     WHERE w.workspace_id = :workspace_id AND w.message_id = i.message_id
       AND w.client_at IN ({{nearby_days}}) LIMIT 1)) IS NULL ELSE true END

-- name: nearby_days
i.client_at - interval '2 days', i.client_at - interval '1 day',
i.client_at + interval '1 day', i.client_at + interval '2 days'

-- name: store_waiting
INSERT INTO unattributed_event (
    workspace_id, client_at, message_id, user_id, anonymous_id, received_at, key_id,
    fingerprint, row
)
SELECT :workspace_id, client_at, message_id, user_id, anonymous_id, :received_at, :key_id,
       fingerprint, to_jsonb(i)
FROM input i
WHERE account_id IS NULL AND kind NOT IN ('identify', 'alias')
  AND (SELECT 1 FROM event e
       WHERE e.workspace_id = :workspace_id AND e.client_at = i.client_at
         AND e.message_id = i.message_id) IS NULL
  AND {{unless_untimed_nearby}}
ORDER BY client_at, message_id
ON CONFLICT DO NOTHING
RETURNING client_at, message_id

-- name: mark_new_users
-- Events of a user who is new may have been received before, and wait.
RETURNING user_id
),
due_attributions AS (
    INSERT INTO due_attribution (workspace_id, user_id)
    SELECT :workspace_id, user_id FROM new_users n
    WHERE (SELECT 1 FROM unattributed_event w
           WHERE w.workspace_id = :workspace_id AND w.user_id = n.user_id LIMIT 1) IS NOT NULL

-- name: count_batch
-- The counts of a batch for the statistics: one row for each SDK. The table has no key, so that no
-- batch waits for the lock of another.
, tallied AS (
    INSERT INTO ingest_tally (
        workspace_id, key_id, at, sdk, code, received, accepted, duplicates, quarantined, erased,
        late, unattributed, warned
    )
    SELECT :workspace_id, :key_id, CAST(:received_at AS timestamptz), coalesce(sdk, ''), '',
           count(*), count(*) FILTER (WHERE is_new OR waits),
           count(*) FILTER (WHERE NOT (is_new OR waits)), 0, 0,
           count(*) FILTER (WHERE late AND (is_new OR waits)), count(*) FILTER (WHERE waits),
           0
    FROM judged GROUP BY sdk
    {{count_excluded}}
)

-- name: count_excluded
UNION ALL
SELECT :workspace_id, :key_id, CAST(:received_at AS timestamptz), t.sdk, t.code,
       t.duplicates + t.quarantined + t.erased, 0, t.duplicates, t.quarantined, t.erased, 0, 0,
       t.warned
FROM json_to_recordset(CAST(:aside AS json)) AS t (
    sdk text, code text, duplicates int, quarantined int, erased int, warned int)

-- name: upsert_accounts
-- Of each field the newest value counts, by the time of its call: see ``newer_fields``.
INSERT INTO account AS x (
    workspace_id, account_id, name, segment, owner, plan, industry, employees, end_customers,
    started_on, traits, traits_at, field_times
)
SELECT :workspace_id, r.account_id, r.name, r.segment, r.owner, r.plan, r.industry, r.employees,
       r.end_customers, r.started_on, r.traits, r.traits_at, r.field_times
FROM json_to_recordset(CAST(:rows AS json)) AS r (
    account_id text, name text, segment text, owner text, plan text, industry text,
    employees bigint, end_customers bigint, started_on date, traits jsonb, traits_at timestamptz,
    field_times jsonb)
ORDER BY r.account_id COLLATE "C"
ON CONFLICT (workspace_id, account_id) DO UPDATE SET (
    name, segment, owner, plan, industry, employees, end_customers, started_on, traits, traits_at,
    field_times
) = (
    SELECT CASE WHEN n.times ? 'name' THEN excluded.name ELSE x.name END,
           CASE WHEN n.times ? 'segment' THEN excluded.segment ELSE x.segment END,
           CASE WHEN n.times ? 'owner' THEN excluded.owner ELSE x.owner END,
           CASE WHEN n.times ? 'plan' THEN excluded.plan ELSE x.plan END,
           CASE WHEN n.times ? 'industry' THEN excluded.industry ELSE x.industry END,
           CASE WHEN n.times ? 'employees' THEN excluded.employees ELSE x.employees END,
           CASE WHEN n.times ? 'end_customers' THEN excluded.end_customers
                ELSE x.end_customers END,
           CASE WHEN n.times ? 'started_on' THEN excluded.started_on ELSE x.started_on END,
           {{newest_traits}}
    FROM {{newer_fields}}
)

-- name: upsert_users
-- An internal e-mail address excludes a user until a newer API call or import says otherwise.
INSERT INTO "user" AS x (
    workspace_id, user_id, account_id, account_since, email, name, role, excluded, traits,
    traits_at, field_times
)
SELECT :workspace_id, r.user_id, r.account_id, r.account_since,
       r.email, r.name, r.role, r.excluded, r.traits, r.traits_at, r.field_times
FROM json_to_recordset(CAST(:rows AS json)) AS r (
    user_id text, account_id text, account_since timestamptz, email text, name text, role text,
    excluded bool, traits jsonb, traits_at timestamptz, field_times jsonb)
ORDER BY r.user_id COLLATE "C"
ON CONFLICT (workspace_id, user_id) DO UPDATE SET (
    account_id, account_since, email, name, role, excluded, excluded_on, traits, traits_at,
    field_times
) = (
    SELECT CASE WHEN n.times ? 'account_id' THEN {{unless_left}} ELSE x.account_id END,
           greatest(x.account_since, excluded.account_since),
           CASE WHEN n.times ? 'email' THEN excluded.email ELSE x.email END,
           CASE WHEN n.times ? 'name' THEN excluded.name ELSE x.name END,
           CASE WHEN n.times ? 'role' THEN excluded.role ELSE x.role END,
           x.excluded OR (excluded.excluded AND n.times ? 'excluded'),
           CASE WHEN excluded.excluded AND n.times ? 'excluded' AND NOT x.excluded
               THEN CAST(:today AS date) ELSE x.excluded_on END,
           {{newest_traits}}
    FROM {{newer_fields}}
)

-- name: unless_left
-- Users may have left the account later than they joined it: see ``end_membership``.
CASE WHEN x.field_times ->> ('left.' || hashtextextended(excluded.account_id, 0)) COLLATE "C"
          > excluded.field_times ->> 'account_id'
     THEN NULL ELSE excluded.account_id END

-- name: newer_fields
-- ``n.times``: the fields of the call that are newer than the stored ones, with their times. A row
-- that was written by an earlier release has no times: the fields with a value are as old as the
-- row, which is noted as ``+``. Times sort as texts.
(SELECT CASE WHEN x.field_times <> '{}' THEN x.field_times ->> '+'
             ELSE {{row_time}} END AS time) AS old,
LATERAL (
    SELECT coalesce(jsonb_object_agg(f.key, f.value) FILTER (
        WHERE coalesce(f.value COLLATE "C" > {{known_time}}, true)), '{}') AS times
    FROM jsonb_each_text(excluded.field_times) AS f) AS n

-- name: known_time
coalesce(x.field_times ->> f.key, x.field_times ->> '*', CASE
    WHEN old.time IS NULL OR f.key = 'excluded' THEN NULL
    WHEN f.key LIKE 'traits.%' THEN CASE WHEN x.traits ? substr(f.key, 8) THEN old.time END
    WHEN to_jsonb(x) ->> f.key IS NOT NULL THEN old.time END)

-- name: newest_traits
x.traits || CASE WHEN n.times = excluded.field_times THEN excluded.traits ELSE coalesce((
    SELECT jsonb_object_agg(t.key, t.value) FROM jsonb_each(excluded.traits) AS t
    WHERE n.times ? ('traits.' || t.key)), '{}') END,
greatest(x.traits_at, excluded.traits_at),
jsonb_strip_nulls(jsonb_build_object('+', old.time)) || x.field_times || n.times

-- name: add_aliases
INSERT INTO user_alias (workspace_id, anonymous_id, user_id, known_on)
SELECT :workspace_id, r.anonymous_id, r.user_id, coalesce(CAST(:received_on AS date), r.day)
FROM json_to_recordset(CAST(:rows AS json)) AS r (anonymous_id text, user_id text, day date)
ORDER BY r.anonymous_id COLLATE "C"
ON CONFLICT DO NOTHING

-- name: quarantine_events
-- A batch that is stored again because the outcome of its commit is unknown counts once: nothing
-- else has the same time of receipt.
INSERT INTO quarantined_event AS q (
    workspace_id, fingerprint, code, pointer, detail, message_id, sdk, key_id, payload, status,
    times, received_at, last_received_at, dialect, sent_at, historical
)
SELECT :workspace_id, decode(r.fingerprint, 'hex'), r.code, r.pointer, r.detail, r.message_id,
       r.sdk, :key_id, r.payload, 'open', 1, :received_at, :received_at, r.dialect, r.sent_at,
       :historical
FROM json_to_recordset(CAST(:rows AS json)) AS r (
    fingerprint text, code text, pointer text, detail text, message_id text, sdk text,
    payload text, dialect text, sent_at timestamptz)
ORDER BY 2
ON CONFLICT (workspace_id, fingerprint) DO UPDATE SET
    times = q.times + CAST(q.last_received_at <> excluded.last_received_at AS int),
    last_received_at = excluded.last_received_at
RETURNING encode(fingerprint, 'hex') AS fingerprint, number

-- name: mark_due_attributions
-- Marks the users of a batch, and their anonymous ids, for which events wait. The aliases of the
-- batch must be written first.
INSERT INTO due_attribution (workspace_id, user_id, anonymous_id)
SELECT :workspace_id, batch.user_id, NULL
FROM unnest(CAST(:user_ids AS text[])) AS batch (user_id)
WHERE (SELECT 1 FROM unattributed_event w
       WHERE w.workspace_id = :workspace_id AND w.user_id = batch.user_id LIMIT 1) IS NOT NULL
UNION ALL
SELECT :workspace_id, NULL, a.anonymous_id FROM user_alias a
WHERE a.workspace_id = :workspace_id AND a.user_id = ANY(CAST(:user_ids AS text[]))
  AND (SELECT 1 FROM unattributed_event w
       WHERE w.workspace_id = :workspace_id AND w.anonymous_id = a.anonymous_id
         AND w.user_id IS NULL LIMIT 1) IS NOT NULL
