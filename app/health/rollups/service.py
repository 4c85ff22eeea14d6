"""Compute the rolled-up score of an account on request."""

from sqlalchemy.orm import Session

from app.accounts.hierarchy import Rollup
from app.health.definition.scorecard_queries import get_active_scorecard
from app.health.rollups.queries import get_hierarchy
from app.health.rollups.rollup import RollupResult, roll_up_scores


def roll_up_account(
    session: Session, workspace_id: str, account_id: str, method: Rollup | None = None
) -> RollupResult:
    """Combine the scores of an account and all accounts below it.

    ``method``: None for the method of the account. The bands are those of the account's card.
    """
    hierarchy = get_hierarchy(session, workspace_id, account_id)
    _, scorecard = get_active_scorecard(session, workspace_id)
    card = scorecard.cards.get(hierarchy.card or "", scorecard.default)
    method = method or hierarchy.rollup
    return roll_up_scores(method, hierarchy.own, hierarchy.below, card.band)
