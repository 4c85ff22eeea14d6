"""HTTP endpoints of the reply standards."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from app.core.db import ReadSessionDep, SessionDep
from app.core.http.routes import DeclaredRoute
from app.core.schemas import problem_responses
from app.engagement.reply_standards import service
from app.engagement.reply_standards.schemas import ReplyStandardsIn, ReplyStandardsOut
from app.workspaces.auth import AccountActor, Reader

router = APIRouter(
    prefix="/api/v1",
    tags=["engagement"],
    responses=problem_responses(400, 401, 403, 422),
    route_class=DeclaredRoute,
)


@router.get("/reply-standards", summary="Get the reply standards")
def get_reply_standards(session: ReadSessionDep, caller: Reader) -> ReplyStandardsOut:
    """Return within how many minutes the first reply to a ticket is due."""
    return _standards_out(session, caller.workspace_id)


@router.put("/reply-standards", summary="Replace the reply standards")
def put_reply_standards(
    body: ReplyStandardsIn, session: SessionDep, actor: AccountActor
) -> ReplyStandardsOut:
    """Replace the reply standards. A field that is left out takes its default.

    A change queues all accounts for a silent refresh. Sending the same standards again changes
    nothing.
    """
    service.put_standards(session, actor, body.model_dump(exclude_defaults=True))
    return _standards_out(session, actor.workspace_id)


def _standards_out(session: Session, workspace_id: str) -> ReplyStandardsOut:
    row = service.find_standards_row(session, workspace_id)
    return ReplyStandardsOut.from_row(
        service.get_standards(session, workspace_id),
        changed_at=row.changed_at if row else None,
        changed_by=row.changed_by if row else None,
    )
