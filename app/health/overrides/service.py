"""A person's word in the place of a score, until a day."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.accounts.due import Priority
from app.accounts.queries import mark_due
from app.core.errors import ConflictError, FieldError, NotFoundError, UnprocessableError
from app.core.query_helpers import advisory_lock
from app.health.overrides import queries
from app.health.scoring import service
from app.health.scoring.assess import HealthStatus
from app.health.tables import ScoreOverride
from app.workspaces.service import Actor

MAX_DAYS = 366


def put_override(
    session: Session,
    change: Actor,
    account_id: str,
    *,
    value: float,
    reason: str,
    author: str,
    expires_at: datetime,
) -> ScoreOverride:
    """Let a value stand for the score; the one before it ends. The same again changes nothing."""
    workspace_id, now = change.workspace_id, change.at
    _check_expiry(expires_at, now)
    advisory_lock(session, f"override of {account_id}", workspace_id)
    before = queries.find_running_override(session, workspace_id, account_id)
    said = {"value": value, "reason": reason, "author": author, "expires_at": expires_at}
    if before is not None:
        if all(getattr(before, name) == new for name, new in said.items()):
            return before
        before.ended_at, before.ended_by = min(now, before.expires_at), change.actor
        session.flush()
    row = queries.insert_override(session, workspace_id, account_id, **said, created_at=now)
    details = said | {"expires_at": expires_at.isoformat()}
    change.audit(session, "score_override.set", account_id, details)
    _score(session, row, now)
    return row


def _check_expiry(expires_at: datetime, now: datetime) -> None:
    if not now < expires_at <= now + timedelta(days=MAX_DAYS):
        wrong = FieldError("/body/expires_at", f"It lies ahead, by {MAX_DAYS} days at most.")
        raise UnprocessableError("An override holds for a time.", errors=[wrong])


def _score(session: Session, row: ScoreOverride, now: datetime) -> None:
    """Let the score follow at once, and alerts soon; refuse where there is none to overrule."""
    mark_due(session, row.workspace_id, [row.account_id])
    [found] = service.refresh(
        session, row.workspace_id, [row.account_id], as_of=now.date(), now=now
    )
    if row.ended_at is None and found.status in {HealthStatus.CHURNED, HealthStatus.EXCLUDED}:
        raise ConflictError(
            f"Account {row.account_id} is {found.status}: it has no score.", code="not_scored"
        )


def end_override(session: Session, change: Actor, account_id: str) -> None:
    row = queries.find_running_override(session, change.workspace_id, account_id)
    if row is None:
        raise NotFoundError("override of account", account_id)
    row.ended_at, row.ended_by = min(change.at, row.expires_at), change.actor
    session.flush()
    change.audit(session, "score_override.ended", account_id)
    _score(session, row, change.at)


def expire_overrides(session: Session, *, now: datetime) -> int:
    """End those whose time is over, and have their accounts scored again."""
    ended = queries.end_expired_overrides(session, now=now)
    for workspace_id in sorted({row.workspace_id for row in ended}):
        ids = [row.account_id for row in ended if row.workspace_id == workspace_id]
        mark_due(session, workspace_id, ids, priority=Priority.LIVE)
    return len(ended)
