"""The adoption of a product feature, from the inputs of the newest scores."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.changes.sort_change_queries import (
    FIRST_CHANGES,
    FIRST_UNUSED,
    stable_position,
)
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import known_mrr_cents
from app.core.sql import load_sql
from app.health.adoption.schemas import AccountAdoptionOut, AdoptionGroup, AdoptionStatus

SQL = load_sql(__file__, known_mrr_cents=known_mrr_cents("h"))
CONDITIONS = {
    AdoptionStatus.UNUSED: "entitled AND pays AND NOT adopted",
    AdoptionStatus.ADOPTED: "entitled AND adopted",
    AdoptionStatus.GAINED: "entitled AND adopted AND NOT adopted_before",
    AdoptionStatus.LOST: "entitled AND adopted_before AND NOT adopted",
    AdoptionStatus.UNENTITLED: "adopted AND NOT entitled",
}
BY_CENTS = {
    "money": "coalesce(f.cents, 0)",
    "past_money": SQL.sections["past_cents"],
    "first_changes": FIRST_UNUSED,
}
BY_MRR = {
    "money": "coalesce(f.mrr_cents, -1)",
    "past_money": "coalesce(c.mrr_cents, -1)",
    "first_changes": FIRST_CHANGES,
}
STATEMENTS = {
    status: SQL.compose(
        "adoption",
        condition=condition,
        **(BY_CENTS if status is AdoptionStatus.UNUSED else BY_MRR),
    )
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
    window_days: int,
    known_from: date | None,
    now: datetime,
    segment: str | None,
    plan: str | None,
) -> tuple[dict[str, list[AdoptionGroup]], RowPage[AccountAdoptionOut]]:
    """Return adoption counts (total, by segment and by plan), and a page of accounts.

    The counts are by grouping: ``all`` (always one group), ``segment`` and ``plan``. The largest
    groups come first. The page holds the accounts of one status, the most money first, in the order
    of the first page.
    ``plans_without``: the plans that do not include the product feature. ``known_from``: the day
    before which its use is unknown; None: all use is known. Churned and excluded
    accounts are left out.
    """
    position = stable_position(session, workspace_id, paging, int, str, now=now)
    money, account_id = position.values or (None, None)
    values = {
        **position.snapshot.sql_values(),
        "workspace_id": workspace_id,
        "key": key,
        "plans_without": list(plans_without),
        "window_days": window_days,
        "known_from": known_from,
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
    snapshot = position.snapshot.cursor_parts()
    page = paging.cut(accounts, lambda row: (row["money"], row["account_id"], *snapshot))
    rows = [AccountAdoptionOut.model_validate(row) for row in page.rows]
    return groups, RowPage(rows, page.next_cursor)


def _group(row: dict[str, Any]) -> AdoptionGroup:
    """Return a group. If the window before is unknown for all accounts, so is what compares it."""
    entitled, known_before = row["entitled"], row.pop("known_before")
    before = row["adopted_before"]
    if entitled and not known_before:
        row |= dict.fromkeys(("adopted_before", "gained", "lost"))
    return AdoptionGroup(
        **row,
        adopted_share=round(row["adopted"] / entitled, 4) if entitled else None,
        adopted_share_before=round(before / known_before, 4) if known_before else None,
    )
