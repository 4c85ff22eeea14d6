"""Set, end and expire overrides, and score their accounts again."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, mark_due
from app.core.errors import ConflictError, FieldError, NotFoundError, UnprocessableError
from app.core.query_helpers import advisory_lock
from app.core.version_queries import insert_row
from app.health.overrides import queries
from app.health.scoring import service
from app.health.scoring.assess import HealthStatus
from app.health.tables import ScoreOverride
from app.workspaces.service import Actor

MAX_DAYS = 366


def put_override(
    session: Session,
    actor: Actor,
    account_id: str,
    *,
    value: float,
    reason: str,
    author: str,
    expires_at: datetime,
) -> ScoreOverride:
    """Replace the score of an account by a value, and score the account again.

    Ends the running override. Repeating the same override changes nothing. One transaction at a
    time changes the override of an account. Raise ConflictError for an account without a score.
    """
    workspace_id, now = actor.workspace_id, actor.at
    _check_expiry(expires_at, now)
    advisory_lock(session, f"override of {account_id}", workspace_id)
    running = queries.find_running_override(session, workspace_id, account_id)
    columns = {"value": value, "reason": reason, "author": author, "expires_at": expires_at}
    if running is not None:
        if all(getattr(running, name) == new for name, new in columns.items()):
            return running
        running.ended_at, running.ended_by = min(now, running.expires_at), actor.name
        session.flush()
    key = {"account_id": account_id, "created_at": now}
    row = insert_row(session, workspace_id, ScoreOverride, **key, **columns)
    details = columns | {"expires_at": expires_at.isoformat()}
    actor.audit(session, "score_override.set", account_id, details)
    _score(session, row, now)
    return row


def _check_expiry(expires_at: datetime, now: datetime) -> None:
    if not now < expires_at <= now + timedelta(days=MAX_DAYS):
        sentence = f"expires_at must be in the future and at most {MAX_DAYS} days ahead."
        error = FieldError("/body/expires_at", sentence)
        raise UnprocessableError("The override has an invalid `expires_at`.", errors=[error])


def _score(session: Session, row: ScoreOverride, now: datetime) -> None:
    """Score the account now and queue it, so that alerts follow.

    Raise ConflictError if the override is running but the account has no score to replace.
    """
    mark_due(session, row.workspace_id, [row.account_id])
    [assessment] = service.refresh(
        session, row.workspace_id, [row.account_id], as_of=now.date(), now=now
    )
    if row.ended_at is None and assessment.status in {HealthStatus.CHURNED, HealthStatus.EXCLUDED}:
        raise ConflictError(
            f"Account {row.account_id} is {assessment.status} and has no score to override.",
            code="not_scored",
        )


def end_override(session: Session, actor: Actor, account_id: str) -> None:
    """End the running override of an account; raise NotFoundError if there is none."""
    row = queries.find_running_override(session, actor.workspace_id, account_id)
    if row is None:
        raise NotFoundError("override of account", account_id)
    row.ended_at, row.ended_by = min(actor.at, row.expires_at), actor.name
    session.flush()
    actor.audit(session, "score_override.ended", account_id)
    _score(session, row, actor.at)


def expire_overrides(session: Session, *, now: datetime) -> int:
    """End expired overrides of all workspaces and queue their accounts; return how many ended."""
    ended = queries.end_expired_overrides(session, now=now)
    for workspace_id in sorted({row.workspace_id for row in ended}):
        ids = [row.account_id for row in ended if row.workspace_id == workspace_id]
        mark_due(session, workspace_id, ids, priority=Priority.LIVE)
    return len(ended)
