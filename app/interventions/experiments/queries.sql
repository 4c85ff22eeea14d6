-- Family roots and arms, outcomes by arm, and contaminated accounts.

-- name: family_roots
WITH RECURSIVE line AS (
    SELECT account_id, account_id AS at, parent_id, 1 AS level FROM account
    WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
    UNION ALL
    SELECT l.account_id, a.account_id, a.parent_id, l.level + 1 FROM line l
    JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = l.parent_id
    WHERE l.level < :max_levels
)
SELECT DISTINCT ON (account_id) account_id, at AS root_id
FROM line ORDER BY account_id, level DESC

-- name: family_arms
-- OFFSET 0: see count_levels in app/accounts/hierarchy_queries.sql.
WITH RECURSIVE member AS (
    SELECT root_id, root_id COLLATE "C" AS account_id, 1 AS level
    FROM unnest(CAST(:root_ids AS text[])) AS root_id
    UNION ALL
    SELECT m.root_id, c.account_id, m.level + 1
    FROM member m, LATERAL (
        SELECT account_id FROM account a
        WHERE a.parent_id = m.account_id AND a.workspace_id = :workspace_id OFFSET 0
    ) AS c
    WHERE m.level < :max_levels
)
SELECT DISTINCT ON (s.experiment_id, m.root_id) s.experiment_id, m.root_id, s.arm, s.family
FROM member m JOIN assignment s ON s.account_id = m.account_id
WHERE s.workspace_id = :workspace_id AND s.experiment_id = ANY(CAST(:experiment_ids AS text[]))
ORDER BY s.experiment_id, m.root_id, s.assigned_on, m.level, s.merge_id, s.account_id

-- name: tally
-- A family counts once, by the accounts that were assigned first; it is decided when all of those
-- are decided, and a success if all of those are a success.
WITH first AS (
    SELECT family, arm, success,
           rank() OVER (PARTITION BY family ORDER BY assigned_on) AS place
    FROM assignment WHERE workspace_id = :workspace_id AND experiment_id = :experiment_id
),
unit AS (
    SELECT family, min(arm) AS arm, bool_and(success) AS success,
           bool_and(success IS NOT NULL) AS decided
    FROM first WHERE place = 1 GROUP BY family
)
SELECT arm, count(*) AS assigned, count(*) FILTER (WHERE decided) AS trials,
       count(*) FILTER (WHERE decided AND success) AS successes
FROM unit GROUP BY arm

-- name: contaminated
-- Accounts that got another treatment than their arm, or whose family has been in another arm
-- before. What was done for a merged account in its own arm is no other treatment.
WITH RECURSIVE e AS (
    SELECT * FROM experiment WHERE workspace_id = :workspace_id AND id = :experiment_id
),
line AS (
    SELECT a.account_id, a.account_id AS at, a.parent_id, 1 AS level FROM account a
    WHERE a.workspace_id = :workspace_id AND a.account_id IN (
        SELECT account_id FROM assignment
        WHERE workspace_id = :workspace_id AND experiment_id = :experiment_id)
    UNION ALL
    SELECT l.account_id, a.account_id, a.parent_id, l.level + 1 FROM line l
    JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = l.parent_id
    WHERE l.level <= 11
),
root AS (
    SELECT DISTINCT ON (account_id) account_id, at AS root_id, level
    FROM line ORDER BY account_id, level DESC
),
placed AS (
    SELECT s.account_id, s.arm, first_value(s.arm) OVER (
        PARTITION BY r.root_id ORDER BY s.assigned_on, r.level, s.merge_id, s.account_id) AS first
    FROM assignment s JOIN root r USING (account_id)
    WHERE s.workspace_id = :workspace_id AND s.experiment_id = :experiment_id
),
found AS (
    SELECT s.account_id, s.arm,
           CASE WHEN s.arm = 'control' THEN 'treated_in_control' ELSE 'other_treatment' END AS why
    FROM assignment s, e, intervention i
    WHERE s.workspace_id = :workspace_id AND s.experiment_id = e.id
      AND i.workspace_id = s.workspace_id AND i.account_id = s.account_id
      AND i.playbook = e.playbook AND i.state IN ('accepted', 'in_progress', 'done', 'evaluated')
      AND CAST(i.decided_at AS date) >= s.assigned_on
      AND (s.arm = 'control' OR (i.experiment_id, i.arm) IS DISTINCT FROM (s.experiment_id, s.arm))
      AND NOT EXISTS (
          SELECT FROM assignment o WHERE o.workspace_id = s.workspace_id
             AND o.account_id = s.account_id AND o.experiment_id = s.experiment_id
             AND o.arm <> 'control' AND (i.experiment_id, i.arm) = (o.experiment_id, o.arm))
    UNION
    SELECT account_id, arm, 'family_in_two_arms' FROM placed WHERE arm <> first
)
SELECT account_id, arm, why FROM found ORDER BY account_id, why LIMIT :limit
