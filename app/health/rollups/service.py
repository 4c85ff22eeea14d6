"""The score of a family of accounts, made when it is asked for."""

from sqlalchemy.orm import Session

from app.accounts.hierarchy import Rollup
from app.health.definition.scorecard_queries import get_active_scorecard
from app.health.rollups.queries import get_hierarchy
from app.health.rollups.rollup import RollupResult, roll_up_scores


def roll_up_account(
    session: Session, workspace_id: str, account_id: str, method: Rollup | None = None
) -> RollupResult:
    """Roll an account and all below it up, by its own method unless another one is asked for."""
    found = get_hierarchy(session, workspace_id, account_id)
    _, scorecard = get_active_scorecard(session, workspace_id)
    card = scorecard.cards.get(found.card or "", scorecard.default)
    return roll_up_scores(method or found.rollup, found.own, found.below, card.band)
