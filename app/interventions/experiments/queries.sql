-- Family roots, outcomes by arm, and contaminated accounts.

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
-- Accounts that got another treatment than their arm, or whose family is in two arms.
WITH RECURSIVE e AS (
    SELECT * FROM experiment WHERE workspace_id = :workspace_id AND id = :experiment_id
),
line AS (
    SELECT a.account_id, a.account_id AS at, a.parent_id, 1 AS level
    FROM assignment s JOIN account a USING (workspace_id, account_id)
    WHERE s.workspace_id = :workspace_id AND s.experiment_id = :experiment_id
    UNION ALL
    SELECT l.account_id, a.account_id, a.parent_id, l.level + 1 FROM line l
    JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = l.parent_id
    WHERE l.level <= 11
),
root AS (
    SELECT DISTINCT ON (account_id) account_id,
           left(encode(sha256(convert_to(e.salt || chr(31) || at, 'UTF8')), 'hex'), 32) AS family
    FROM line, e ORDER BY account_id, level DESC
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
    UNION
    SELECT s.account_id, s.arm, 'family_in_two_arms'
    FROM assignment s JOIN root r ON r.account_id = s.account_id
    JOIN assignment o ON o.workspace_id = s.workspace_id AND o.experiment_id = s.experiment_id
     AND o.family = r.family AND o.arm <> s.arm
    WHERE s.workspace_id = :workspace_id AND s.experiment_id = :experiment_id
)
SELECT account_id, arm, why FROM found ORDER BY account_id, why LIMIT :limit
