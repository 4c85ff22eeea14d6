from collections.abc import Sequence

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from app.health.adoption.adoption import AccountAdoption, Adoption, AdoptionGrouping, AdoptionStatus

# What each account's newest score was made of says what it has adopted and is entitled to. The
# details are unpacked once: each operator on them would do it again.
ACCOUNT_ADOPTION = """
WITH standing AS MATERIALIZED (
    SELECT h.account_id, h.mrr_cents, known.segment, known.plan, known.pays,
           known.adopted ? :key AS adopted, known.adopted_before ? :key AS adopted_before,
           coalesce(CAST(known.feature_exceptions ->> :key AS boolean),
                    coalesce(known.plan, '') <> ALL(CAST(:lacking AS text[]))) AS entitled,
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
"""

COUNTS = """
SELECT CASE GROUPING(segment, plan) WHEN 3 THEN 'all' WHEN 1 THEN 'segment' ELSE 'plan' END AS by,
       coalesce(segment, plan) AS name,
       count(*) FILTER (WHERE entitled) AS entitled,
       count(*) FILTER (WHERE entitled AND pays) AS paying,
       count(*) FILTER (WHERE entitled AND adopted) AS adopted,
       count(*) FILTER (WHERE entitled AND adopted_before) AS adopted_before,
       count(*) FILTER (WHERE entitled AND adopted AND NOT adopted_before) AS gained,
       count(*) FILTER (WHERE entitled AND adopted_before AND NOT adopted) AS lost,
       count(*) FILTER (WHERE entitled AND pays AND NOT adopted) AS unused,
       count(*) FILTER (WHERE adopted AND NOT entitled) AS unentitled,
       CAST(coalesce(sum(cents) FILTER (WHERE entitled AND pays AND NOT adopted), 0) AS bigint)
           AS value_leak_cents
FROM standing
GROUP BY GROUPING SETS ((), (segment), (plan))
ORDER BY 1, 3 DESC, 2
"""

CONDITIONS = {
    AdoptionStatus.UNUSED: "entitled AND pays AND NOT adopted",
    AdoptionStatus.ADOPTED: "entitled AND adopted",
    AdoptionStatus.GAINED: "entitled AND adopted AND NOT adopted_before",
    AdoptionStatus.LOST: "entitled AND adopted_before AND NOT adopted",
    AdoptionStatus.UNENTITLED: "adopted AND NOT entitled",
}


def _statement(use: AdoptionStatus) -> TextClause:
    money = "coalesce(cents, 0)" if use is AdoptionStatus.UNUSED else "mrr_cents"
    return text(f"""
{ACCOUNT_ADOPTION},
found AS (
    SELECT *, {money} AS money FROM standing
    WHERE {CONDITIONS[use]}
      AND (CAST(:segment AS text) IS NULL OR segment = :segment)
      AND (CAST(:plan AS text) IS NULL OR plan = :plan)
),
listed AS (
    SELECT f.account_id, a.name, f.segment, f.plan, f.mrr_cents, f.adopted, f.adopted_before,
           f.cents, f.money
    FROM found f
    JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = f.account_id
    WHERE CAST(:money AS bigint) IS NULL OR f.money < :money
       OR f.money = :money AND f.account_id > :account_id
    ORDER BY f.money DESC, f.account_id LIMIT :limit
)
SELECT (SELECT json_agg(c) FROM ({COUNTS}) AS c) AS counts,
       (SELECT coalesce(json_agg(l), '[]') FROM listed l) AS adopters
""")  # noqa: S608 - made of the texts above


STATEMENTS = {use: _statement(use) for use in AdoptionStatus}


def load_adoption(
    session: Session,
    workspace_id: str,
    key: str,
    use: AdoptionStatus,
    *,
    lacking: Sequence[str],
    segment: str | None,
    plan: str | None,
    after: tuple[int, str] | None,
    limit: int,
) -> tuple[list[Adoption], list[AccountAdoption]]:
    """Count over all accounts, by segment and by plan, the largest first; and list some.

    Listed are those that stand to the product feature in one way, the most money first.
    ``lacking``: the plans that do not include it. Churned and excluded accounts are left out.
    """
    money, account_id = after or (None, None)
    asked = {
        "workspace_id": workspace_id,
        "key": key,
        "lacking": list(lacking),
        "segment": segment,
        "plan": plan,
        "money": money,
        "account_id": account_id,
        "limit": limit,
    }
    counts, adopters = session.execute(STATEMENTS[use], asked).one()
    groups = [Adoption(**{**row, "by": AdoptionGrouping(row["by"])}) for row in counts]
    return groups, [AccountAdoption(**row) for row in adopters]
