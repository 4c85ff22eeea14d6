"""State how the owner of an account feels about it, and read the newest statement."""

from sqlalchemy.orm import Session

from app.accounts.queries import get_account
from app.collaboration import queries
from app.collaboration.tables import Sentiment
from app.core.errors import NotFoundError
from app.core.version_queries import insert_row
from app.workspaces.service import Actor


def state_sentiment(
    session: Session,
    actor: Actor,
    account_id: str,
    *,
    value: int,
    reason: str,
    author: str | None = None,
) -> Sentiment:
    """Add what the owner feels now. Earlier statements stay; no score depends on any of them."""
    get_account(session, actor.workspace_id, account_id)
    columns = {"value": value, "reason": reason, "author": author or actor.name, "at": actor.at}
    row = insert_row(session, actor.workspace_id, Sentiment, account_id=account_id, **columns)
    details = {"value": value, "author": row.author}
    actor.audit(session, "sentiment.stated", account_id, details)
    return row


def get_sentiment(session: Session, workspace_id: str, account_id: str) -> Sentiment:
    """Return the newest sentiment about an account, or raise ``NotFoundError``."""
    row = queries.find_sentiment(session, workspace_id, account_id)
    if row is None:
        raise NotFoundError("sentiment about account", account_id)
    return row
