"""Score a set of accounts as of a day."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.features.queries import account_features
from app.health import queries, yardstick
from app.health.assess import Assessment, assess
from app.workspaces.queries import find_workspace


def refresh(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date, now: datetime
) -> list[Assessment]:
    """Score a set of accounts and write scores and history, in the caller's transaction.

    The scores are locked first and usage is read in a later statement, so that of two refreshes
    of one account the later one has seen everything that the earlier one saw. A day that is over
    gets its history row once; the newest score is not touched by it.
    """
    workspace = find_workspace(session, workspace_id)
    if workspace is None:
        raise NotFoundError("workspace", workspace_id)
    against, lens = yardstick.current(session, workspace, as_of=as_of, now=now)
    queries.lock_scores(session, workspace_id, account_ids)
    features = account_features(session, workspace_id, account_ids, as_of=as_of, lens=lens)
    assessments = assess(against, features, as_of)
    closed = as_of < now.date()
    queries.write_scores(session, workspace_id, assessments, as_of=as_of, now=now, closed=closed)
    return assessments
