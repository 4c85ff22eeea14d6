"""The adoption of a product feature, from the inputs of the newest scores."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.sql import load_sql
from app.health.adoption.schemas import AccountAdoptionOut, AdoptionGroup, AdoptionStatus

SQL = load_sql(__file__)
CONDITIONS = {
    AdoptionStatus.UNUSED: "entitled AND pays AND NOT adopted",
    AdoptionStatus.ADOPTED: "entitled AND adopted",
    AdoptionStatus.GAINED: "entitled AND adopted AND NOT adopted_before",
    AdoptionStatus.LOST: "entitled AND adopted_before AND NOT adopted",
    AdoptionStatus.UNENTITLED: "adopted AND NOT entitled",
}
MONEY = {AdoptionStatus.UNUSED: "coalesce(cents, 0)"}
MRR = "coalesce(mrr_cents, 0)"
STATEMENTS = {
    status: SQL.compose("adoption", condition=condition, money=MONEY.get(status, MRR))
    for status, condition in CONDITIONS.items()
}


def load_adoption(
    session: Session,
    workspace_id: str,
    key: str,
    status: AdoptionStatus,
    paging: Paging,
    *,
    plans_without: Sequence[str],
    segment: str | None,
    plan: str | None,
) -> tuple[dict[str, list[AdoptionGroup]], RowPage[AccountAdoptionOut]]:
    """Return adoption counts (total, by segment and by plan), and a page of accounts.

    The counts are by grouping: ``all`` (always one group), ``segment`` and ``plan``. The largest
    groups come first. The page holds the accounts of one status, the most money first.
    ``plans_without``: the plans that do not include the product feature. Churned and excluded
    accounts are left out.
    """
    money, account_id = paging.position(int, str) or (None, None)
    values = {
        "workspace_id": workspace_id,
        "key": key,
        "plans_without": list(plans_without),
        "segment": segment,
        "plan": plan,
        "money": money,
        "account_id": account_id,
        "limit": paging.fetch_limit,
    }
    counts, accounts = session.execute(STATEMENTS[status], values).one()
    groups: dict[str, list[AdoptionGroup]] = {"all": [], "segment": [], "plan": []}
    for row in counts:
        groups[row["by"]].append(_group(row))
    page = paging.cut(accounts, lambda row: (row["money"], row["account_id"]))
    rows = [AccountAdoptionOut.model_validate(row) for row in page.rows]
    return groups, RowPage(rows, page.next_cursor)


def _group(row: dict[str, Any]) -> AdoptionGroup:
    adopted, adopted_before = (
        round(row[name] / row["entitled"], 4) if row["entitled"] else None
        for name in ("adopted", "adopted_before")
    )
    return AdoptionGroup(**row, adopted_share=adopted, adopted_share_before=adopted_before)
