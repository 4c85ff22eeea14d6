"""HTTP endpoints of the reply standards."""

from datetime import datetime
from typing import Self

from fastapi import APIRouter
from pydantic import Field

from app.core.db import ReadSessionDep, SessionDep
from app.core.schemas import ResponseModel, problem_responses
from app.engagement.reply_standards import service
from app.engagement.reply_standards.standards import ReplyStandards
from app.engagement.reply_standards.tables import ReplyStandardsRow
from app.workspaces.auth import AccountActor, Reader

router = APIRouter(
    prefix="/api/v1", tags=["engagement"], responses=problem_responses(400, 401, 403, 422)
)


class ReplyStandardsOut(ReplyStandards, ResponseModel):
    """The reply standards of the workspace."""

    changed_at: datetime | None = Field(description="Null where the defaults apply.")
    changed_by: str | None = Field(examples=["key:0aZ81bQ2xY"])

    @classmethod
    def of(cls, standards: ReplyStandards, row: ReplyStandardsRow | None) -> Self:
        changed = {"changed_at": row and row.changed_at, "changed_by": row and row.changed_by}
        return cls.model_validate(standards.model_dump() | changed)


@router.get("/reply-standards", summary="Get the reply standards")
def get_reply_standards(session: ReadSessionDep, caller: Reader) -> ReplyStandardsOut:
    """Return within how many minutes the first reply to a ticket is due."""
    row = service.find_standards_row(session, caller.workspace_id)
    return ReplyStandardsOut.of(service.get_standards(session, caller.workspace_id), row)


@router.put("/reply-standards", summary="Replace the reply standards")
def put_reply_standards(
    body: ReplyStandards, session: SessionDep, actor: AccountActor
) -> ReplyStandardsOut:
    """Replace the reply standards. A field that is left out takes its default.

    A change queues all accounts for a silent refresh. Sending the same standards again changes
    nothing.
    """
    return ReplyStandardsOut.of(body, service.put_standards(session, actor, body))
