-- name: account_adoption
-- The inputs of each account's newest score contain its adopted features and its entitlement. The
-- details are expanded once: each operator on the column would expand them again. Use before
-- :known_from is unknown, so that of the window before is known only if it began on that day or later.
WITH account_adoption AS MATERIALIZED (
    SELECT h.account_id,
           {{known_mrr_cents}} AS mrr_cents,
           known.segment, known.plan, known.pays,
           known.adopted ? :key AS adopted,
           CASE WHEN h.as_of - 2 * CAST(:window_days AS int) + 1 < :known_from THEN NULL
                ELSE known.adopted_before ? :key END AS adopted_before,
           coalesce(CAST(known.feature_exceptions ->> :key AS boolean),
                    coalesce(known.plan, '') <> ALL(CAST(:plans_without AS text[]))) AS entitled,
           CAST(jsonb_path_query_first(
               detail.entitlement, '$.unused[*] ? (@.key == $key).cents',
               jsonb_build_object('key', CAST(:key AS text))) #>> '{}' AS bigint) AS cents
    FROM health_score h,
         jsonb_to_record(h.details) AS detail (inputs jsonb, entitlement jsonb),
         jsonb_to_record(detail.inputs) AS known (
             segment text, plan text, pays boolean, adopted jsonb, adopted_before jsonb,
             feature_exceptions jsonb)
    WHERE h.workspace_id = :workspace_id AND h.status NOT IN ('churned', 'excluded')
      AND detail.inputs IS NOT NULL
)

-- name: counts
SELECT CASE GROUPING(segment, plan) WHEN 3 THEN 'all' WHEN 1 THEN 'segment' ELSE 'plan' END AS by,
       coalesce(segment, plan) AS name,
       count(*) FILTER (WHERE entitled) AS entitled,
       count(*) FILTER (WHERE entitled AND pays) AS paying,
       count(*) FILTER (WHERE entitled AND adopted) AS adopted,
       count(*) FILTER (WHERE entitled AND adopted_before IS NOT NULL) AS known_before,
       count(*) FILTER (WHERE entitled AND adopted_before) AS adopted_before,
       count(*) FILTER (WHERE entitled AND adopted AND NOT adopted_before) AS gained,
       count(*) FILTER (WHERE entitled AND adopted_before AND NOT adopted) AS lost,
       count(*) FILTER (WHERE entitled AND pays AND NOT adopted) AS unused,
       count(*) FILTER (WHERE adopted AND NOT entitled) AS unentitled,
       CAST(coalesce(sum(cents) FILTER (WHERE entitled AND pays AND NOT adopted), 0) AS bigint)
           AS value_leak_cents
FROM account_adoption
GROUP BY GROUPING SETS ((), (segment), (plan))
ORDER BY 1, 3 DESC, 2

-- name: adoption
-- condition: that of a status. money, past_money: what the accounts are sorted by, and what that was
-- on the first page, for those that have changed since: 0 without a score, -1 if it is unknown.
{{account_adoption}},
changed AS MATERIALIZED ({{first_changes}}),
matching AS (
    SELECT f.*, CASE WHEN c.account_id IS NULL THEN {{money}} ELSE {{past_money}} END
               AS money
    FROM account_adoption f
    LEFT JOIN changed c ON c.account_id = f.account_id
    WHERE {{condition}}
      AND (CAST(:segment AS text) IS NULL OR f.segment = :segment)
      AND (CAST(:plan AS text) IS NULL OR f.plan = :plan)
),
page AS (
    SELECT f.account_id, a.name, f.segment, f.plan, f.mrr_cents, f.adopted, f.adopted_before,
           f.cents, f.money
    FROM matching f
    JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = f.account_id
    WHERE CAST(:money AS bigint) IS NULL OR f.money < :money
       OR f.money = :money AND f.account_id > :account_id
    ORDER BY f.money DESC, f.account_id LIMIT :limit
)
SELECT (SELECT json_agg(c) FROM ({{counts}}) AS c) AS counts,
       (SELECT coalesce(json_agg(l), '[]') FROM page l) AS accounts

-- name: past_cents
coalesce((SELECT CAST(u ->> 'cents' AS bigint) FROM jsonb_array_elements(c.unused) AS u
          WHERE u ->> 'key' = :key), 0)
