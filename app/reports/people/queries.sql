-- People of an account: those with a role first, then who stopped, who is new, who is active, the others.

-- name: people
SELECT * FROM (
    SELECT p.*, CASE WHEN cardinality(p.roles) > 0 THEN 0 ELSE
        array_position(ARRAY['stopped', 'new', 'active', 'idle'], p.status) END AS rank
    FROM (
        SELECT u.user_id, u.name, u.email, l.last_used_on, coalesce(l.days_used, 0) AS days_used,
               j.joined_on, r.roles,
               CASE
                   WHEN l.last_used_on <= CAST(:today AS date) - CAST(:silent_days AS int)
                       AND l.last_used_on - l.first_used_on >= :used_days THEN 'stopped'
                   WHEN j.joined_on > CAST(:today AS date) - CAST(:silent_days AS int) THEN 'new'
                   WHEN l.last_used_on > CAST(:today AS date) - CAST(:silent_days AS int) THEN 'active'
                   ELSE 'idle'
               END AS status
        FROM "user" u
        LEFT JOIN (
            SELECT x.user_id, max(x.day) AS last_used_on, min(x.day) AS first_used_on,
                   count(DISTINCT x.day) FILTER (
                       WHERE x.day > CAST(:today AS date) - CAST(:silent_days AS int)) AS days_used
            FROM daily_usage x
            WHERE x.workspace_id = :workspace_id AND x.account_id = :account_id
              AND NOT x.is_anonymous AND x.day > CAST(:today AS date) - CAST(:usage_days AS int)
            GROUP BY x.user_id
        ) AS l ON l.user_id = u.user_id
        CROSS JOIN LATERAL (
            SELECT least(l.first_used_on, CAST(
                coalesce(u.account_since, u.created_at) AT TIME ZONE 'UTC' AS date)) AS joined_on
        ) AS j
        CROSS JOIN LATERAL (
            SELECT coalesce(array_agg(DISTINCT v.role ORDER BY v.role), '{}') AS roles FROM (
                SELECT CAST(x.role AS text) FROM person_role x
                WHERE x.workspace_id = u.workspace_id AND x.user_id = u.user_id
                  AND x.known_on <= :today AND coalesce(x.ended_on > :today, true)
                UNION ALL
                SELECT lower(u.role) WHERE lower(u.role) IN ('champion', 'sponsor')
            ) AS v (role)
        ) AS r
        WHERE u.workspace_id = :workspace_id AND u.account_id = :account_id AND NOT u.excluded
    ) AS p
) AS p
WHERE (p.rank, p.user_id COLLATE "C") > (CAST(:rank AS int), CAST(:user_id AS text) COLLATE "C")
ORDER BY p.rank, p.user_id COLLATE "C" LIMIT :limit
