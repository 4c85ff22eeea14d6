"""The accounts below an account: listed with their newest scores, and combined into one score."""

from typing import Any

from sqlalchemy import Row, bindparam
from sqlalchemy.orm import Session

from app.accounts.hierarchy import MOST_LEVELS, Rollup
from app.accounts.tables import Account
from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import keyset, known_mrr_cents
from app.core.sql import load_sql
from app.health.definition.scorecard_queries import get_active_scorecard
from app.health.rollups.rollup import HierarchyAccount, RollupOut, roll_up_scores
from app.health.scoring.queries import ACCOUNT_HEALTH, HAS_CHILDREN

SQL = load_sql(__file__, known_mrr_cents=known_mrr_cents("h"))

CHILDREN = ACCOUNT_HEALTH.add_columns(HAS_CHILDREN).where(
    Account.workspace_id == bindparam("workspace_id"), Account.parent_id == bindparam("account_id")
)


def roll_up_account(
    session: Session, workspace_id: str, account_id: str, method: Rollup | None = None
) -> RollupOut:
    """Combine the scores of an account and all accounts below it.

    ``method``: None for the method of the account. The bands are those of the account's card.
    """
    values = {"workspace_id": workspace_id, "account_id": account_id, "max_levels": MOST_LEVELS}
    rows = session.execute(SQL.hierarchy, values).all()
    if not rows:
        raise NotFoundError("account", account_id)
    own, *below = [HierarchyAccount(*row[:6]) for row in rows]  # the account itself comes first
    _, scorecard = get_active_scorecard(session, workspace_id)
    card = scorecard.cards.get(rows[0].card or "", scorecard.default)
    return roll_up_scores(method or Rollup(rows[0].rollup), own, below, card.band)


def list_children(
    session: Session, workspace_id: str, account_id: str, paging: Paging
) -> RowPage[Row[Any]]:
    """Return the accounts directly below an account with their newest scores, in key order."""
    statement = keyset(
        CHILDREN, Account.account_id, after=paging.position(str), limit=paging.fetch_limit
    )
    values = {"workspace_id": workspace_id, "account_id": account_id}
    rows = session.execute(statement, values).all()
    return paging.cut(rows, lambda row: row.account_id)
