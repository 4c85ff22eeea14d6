"""Tickets, answers, feedback and incidents over HTTP: what came up between an account and you."""

from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter
from sqlalchemy.orm import Session

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page
from app.core.schemas import Id, problem_responses
from app.engagement import incidents, row_queries, service
from app.engagement.listing import AccountListDep, ListDep
from app.engagement.schemas import (
    FeedbackItemIn,
    FeedbackItemOut,
    FeedbackItemPatch,
    FeedbackKind,
    FeedbackResolution,
    IncidentIn,
    IncidentOut,
    SurveyKind,
    SurveyResponseIn,
    SurveyResponseOut,
    TicketIn,
    TicketOut,
)
from app.engagement.tables import FeedbackItem, Incident, SurveyResponse, Ticket
from app.workspaces.auth import AccountActor, Reader

router = APIRouter(
    prefix="/api/v1", tags=["engagement"], responses=problem_responses(400, 401, 403, 404, 422)
)

FeedbackStatus = Literal["open", "planned", "shipped", "fixed", "answered", "declined"]


@router.put("/tickets/{ticket_id}", responses=problem_responses(409))
def put_ticket(
    ticket_id: Id, body: TicketIn, session: SessionDep, change: AccountActor
) -> TicketOut:
    """Add what is known of a ticket. The same again changes nothing."""
    row = service.put_ticket(session, change, ticket_id, body.model_dump())
    return TicketOut.model_validate(row)


@router.get("/tickets/{ticket_id}")
def get_ticket(ticket_id: Id, session: ReadSessionDep, caller: Reader) -> TicketOut:
    """Show a ticket."""
    return TicketOut.model_validate(
        row_queries.get(session, caller.workspace_id, Ticket, ticket_id)
    )


@router.get("/tickets")
def list_tickets(
    *, listing: AccountListDep, closed: bool | None = None, replied: bool | None = None
) -> Page[TicketOut]:
    """List tickets by id."""
    return listing.page(Ticket, TicketOut, closed_at=closed, replied_at=replied)


@router.put("/survey-responses/{response_id}", responses=problem_responses(409))
def put_survey_response(
    response_id: Id, body: SurveyResponseIn, session: SessionDep, change: AccountActor
) -> SurveyResponseOut:
    """Create or replace an answer to a survey."""
    row = service.put_response(session, change, response_id, body.model_dump())
    return SurveyResponseOut.model_validate(row)


@router.get("/survey-responses/{response_id}")
def get_survey_response(
    response_id: Id, session: ReadSessionDep, caller: Reader
) -> SurveyResponseOut:
    """Show an answer to a survey."""
    row = row_queries.get(session, caller.workspace_id, SurveyResponse, response_id)
    return SurveyResponseOut.model_validate(row)


@router.get("/survey-responses")
def list_survey_responses(
    listing: AccountListDep,
    kind: SurveyKind | None = None,
    user_id: Id | None = None,
    ticket_id: Id | None = None,
) -> Page[SurveyResponseOut]:
    """List answers to surveys by id."""
    where = {"kind": kind, "user_id": user_id, "ticket_id": ticket_id}
    return listing.page(SurveyResponse, SurveyResponseOut, **where)


@router.put("/feedback-items/{feedback_id}", responses=problem_responses(409))
def put_feedback_item(
    feedback_id: Id, body: FeedbackItemIn, session: SessionDep, change: AccountActor
) -> FeedbackItemOut:
    """Create or replace what somebody said."""
    row = service.put_feedback(session, change, feedback_id, body.model_dump())
    return FeedbackItemOut.model_validate(row)


@router.patch("/feedback-items/{feedback_id}", responses=problem_responses(409))
def update_feedback_item(
    feedback_id: Id, body: FeedbackItemPatch, session: SessionDep, change: AccountActor
) -> FeedbackItemOut:
    """Change what is sent, such as who answers it until when."""
    said = body.model_dump(exclude_unset=True)
    return FeedbackItemOut.model_validate(
        service.change_feedback(session, change, feedback_id, said)
    )


@router.post("/feedback-items/{feedback_id}/resolve", responses=problem_responses(409))
def resolve_feedback_item(
    feedback_id: Id, body: FeedbackResolution, session: SessionDep, change: AccountActor
) -> FeedbackItemOut:
    """Close the loop. The message `feedback.resolved` tells who asked."""
    row = service.resolve_feedback(session, change, feedback_id, body.outcome, body.answer)
    return FeedbackItemOut.model_validate(row)


@router.get("/feedback-items/{feedback_id}")
def get_feedback_item(feedback_id: Id, session: ReadSessionDep, caller: Reader) -> FeedbackItemOut:
    """Show what somebody said, and what became of it."""
    row = row_queries.get(session, caller.workspace_id, FeedbackItem, feedback_id)
    return FeedbackItemOut.model_validate(row)


@router.get("/feedback-items")
def list_feedback_items(
    listing: AccountListDep,
    kind: FeedbackKind | None = None,
    status: FeedbackStatus | None = None,
    owner: Id | None = None,
    topic: Id | None = None,
    product_feature: Id | None = None,
) -> Page[FeedbackItemOut]:
    """List feedback by id."""
    where = {"kind": kind, "status": status, "owner": owner, "topic": topic}
    return listing.page(FeedbackItem, FeedbackItemOut, product_feature=product_feature, **where)


@router.put("/incidents/{incident_id}")
def put_incident(
    incident_id: Id, body: IncidentIn, session: SessionDep, change: AccountActor
) -> IncidentOut:
    """Create or replace an incident, and say whom it affects."""
    row = incidents.put_incident(session, change, incident_id, body.model_dump())
    return _incidents_out(session, change.workspace_id, [row])[0]


@router.get("/incidents/{incident_id}")
def get_incident(incident_id: Id, session: ReadSessionDep, caller: Reader) -> IncidentOut:
    """Show an incident and whom it affects."""
    row = row_queries.get(session, caller.workspace_id, Incident, incident_id)
    return _incidents_out(session, caller.workspace_id, [row])[0]


@router.get("/incidents")
def list_incidents(
    *, listing: ListDep, caller: Reader, ended: bool | None = None
) -> Page[IncidentOut]:
    """List incidents by id."""
    found = listing.rows(Incident, ended_at=ended)
    items = _incidents_out(listing.session, caller.workspace_id, found.rows)
    return Page(items=items, next_cursor=found.next_cursor)


def _incidents_out(
    session: Session, workspace_id: str, rows: Sequence[Incident]
) -> list[IncidentOut]:
    affected = row_queries.list_affected_accounts(
        session, workspace_id, [row.incident_id for row in rows]
    )
    return [
        IncidentOut.from_row(
            row, accounts=[each for each in affected if each.incident_id == row.incident_id]
        )
        for row in rows
    ]
