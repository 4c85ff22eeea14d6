"""HTTP endpoints of tickets, survey responses, feedback and incidents."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from app.accounts.schemas import NewId
from app.core.db import SessionDep
from app.core.pagination import Page
from app.core.query_helpers import get_row
from app.core.schemas import Id, IdFilter, problem_responses
from app.engagement import detail_queries, incidents, service
from app.engagement.case_schemas import (
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
from app.engagement.reply_standards.service import load_reply_due_times
from app.engagement.tables import PRESENT, FeedbackItem, Incident, SurveyResponse, Ticket
from app.engagement.versions.objects import get_present
from app.workspaces.auth import AccountActor
from app.workspaces.idempotency import IdempotentRoute
from app.workspaces.resources import AccountRowListDep, RowListDep, RowsDep

router = APIRouter(
    prefix="/api/v1",
    tags=["engagement"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)
CONFLICT = problem_responses(409)

FeedbackStatus = Literal["open", "planned", "shipped", "fixed", "answered", "declined"]
HasClosing = Annotated[bool | None, Query(description="True: only closed ones. False: the others.")]
HasReply = Annotated[
    bool | None, Query(description="True: only those with a reply. False: the others.")
]
HasEnd = Annotated[bool | None, Query(description="True: only ended ones. False: the others.")]


@router.put("/tickets/{ticket_id}", responses=CONFLICT, summary="Create or add to a ticket")
def put_ticket(
    ticket_id: NewId, body: TicketIn, session: SessionDep, actor: AccountActor
) -> TicketOut:
    """Create the ticket, or add the fields that are sent. The same body again changes nothing.

    The earliest opening and reply count, and the latest closing; none of them is removed. The
    account is scored again in the background.
    """
    row = service.put_ticket(session, actor, ticket_id, body.model_dump())
    return _tickets_out(session, actor.workspace_id, [row])[0]


@router.get("/tickets/{ticket_id}", summary="Get a ticket")
def get_ticket(ticket_id: Id, rows: RowsDep) -> TicketOut:
    """Return one ticket."""
    row = get_row(rows.session, Ticket, (rows.workspace_id, ticket_id))
    return _tickets_out(rows.session, rows.workspace_id, [row])[0]


@router.get("/tickets", summary="List tickets")
def list_tickets(
    *, rows: AccountRowListDep, closed: HasClosing = None, replied: HasReply = None
) -> Page[TicketOut]:
    """Return tickets ordered by id, one page at a time."""
    page = rows.rows(Ticket, closed_at=closed, replied_at=replied)
    items = _tickets_out(rows.session, rows.workspace_id, page.rows)
    return Page(items=items, next_cursor=page.next_cursor)


def _tickets_out(session: Session, workspace_id: str, rows: Sequence[Ticket]) -> list[TicketOut]:
    due = load_reply_due_times(session, workspace_id, rows)
    return [TicketOut.from_row(row, reply_due_at=due.get(row.ticket_id)) for row in rows]


@router.put(
    "/survey-responses/{response_id}",
    responses=CONFLICT,
    summary="Create or replace a survey response",
)
def put_survey_response(
    response_id: NewId, body: SurveyResponseIn, session: SessionDep, actor: AccountActor
) -> SurveyResponseOut:
    """Create the survey response, or replace it. The account is scored again in the background."""
    row = service.put_answer(session, actor, SurveyResponse, response_id, body.model_dump())
    return SurveyResponseOut.model_validate(row)


@router.get("/survey-responses/{response_id}", summary="Get a survey response")
def get_survey_response(response_id: Id, rows: RowsDep) -> SurveyResponseOut:
    """Return one survey response."""
    row = get_present(rows.session, SurveyResponse, rows.workspace_id, response_id)
    return SurveyResponseOut.model_validate(row)


@router.get("/survey-responses", summary="List survey responses")
def list_survey_responses(
    rows: AccountRowListDep,
    kind: SurveyKind | None = None,
    user_id: IdFilter | None = None,
    ticket_id: IdFilter | None = None,
) -> Page[SurveyResponseOut]:
    """Return survey responses ordered by id, one page at a time."""
    where = {"kind": kind, "user_id": user_id, "ticket_id": ticket_id}
    return rows.page(SurveyResponse, SurveyResponseOut, known_until=PRESENT, **where)


@router.put(
    "/feedback-items/{feedback_id}", responses=CONFLICT, summary="Create or replace a feedback item"
)
def put_feedback_item(
    feedback_id: NewId, body: FeedbackItemIn, session: SessionDep, actor: AccountActor
) -> FeedbackItemOut:
    """Create the feedback item, or replace it. Its status and outcome do not change.

    The account is scored again in the background.
    """
    row = service.put_answer(session, actor, FeedbackItem, feedback_id, body.model_dump())
    return FeedbackItemOut.model_validate(row)


@router.patch("/feedback-items/{feedback_id}", responses=CONFLICT, summary="Update a feedback item")
def update_feedback_item(
    feedback_id: Id, body: FeedbackItemPatch, session: SessionDep, actor: AccountActor
) -> FeedbackItemOut:
    """Change the fields that are sent, such as the owner and the due day.

    The status of a resolved item cannot change.
    """
    changes = body.model_dump(exclude_unset=True)
    row = service.change_feedback(session, actor, feedback_id, changes)
    return FeedbackItemOut.model_validate(row)


@router.post(
    "/feedback-items/{feedback_id}/resolve", responses=CONFLICT, summary="Resolve a feedback item"
)
def resolve_feedback_item(
    feedback_id: Id, body: FeedbackResolution, session: SessionDep, actor: AccountActor
) -> FeedbackItemOut:
    """Set the outcome and publish the message `feedback.resolved`.

    The same outcome again changes nothing; another one is a conflict.
    """
    row = service.resolve_feedback(session, actor, feedback_id, body.outcome, body.answer)
    return FeedbackItemOut.model_validate(row)


@router.get("/feedback-items/{feedback_id}", summary="Get a feedback item")
def get_feedback_item(feedback_id: Id, rows: RowsDep) -> FeedbackItemOut:
    """Return one feedback item with its status and answer."""
    row = get_present(rows.session, FeedbackItem, rows.workspace_id, feedback_id)
    return FeedbackItemOut.model_validate(row)


@router.get("/feedback-items", summary="List feedback items")
def list_feedback_items(
    rows: AccountRowListDep,
    kind: FeedbackKind | None = None,
    status: FeedbackStatus | None = None,
    owner: Id | None = None,
    topic: Id | None = None,
    product_feature: Id | None = None,
) -> Page[FeedbackItemOut]:
    """Return feedback items ordered by id, one page at a time."""
    where = {"kind": kind, "status": status, "owner": owner, "topic": topic}
    where |= {"product_feature": product_feature}
    return rows.page(FeedbackItem, FeedbackItemOut, known_until=PRESENT, **where)


@router.put("/incidents/{incident_id}", summary="Create or replace an incident")
def put_incident(
    incident_id: NewId, body: IncidentIn, session: SessionDep, actor: AccountActor
) -> IncidentOut:
    """Create the incident, or replace it together with its affected accounts.

    Every account that is or was affected is scored again in the background.
    """
    row = incidents.put_incident(session, actor, incident_id, body.model_dump())
    return _incidents_out(session, actor.workspace_id, [row])[0]


@router.get("/incidents/{incident_id}", summary="Get an incident")
def get_incident(incident_id: Id, rows: RowsDep) -> IncidentOut:
    """Return one incident with its affected accounts."""
    row = get_present(rows.session, Incident, rows.workspace_id, incident_id)
    return _incidents_out(rows.session, rows.workspace_id, [row])[0]


@router.get("/incidents", summary="List incidents")
def list_incidents(*, rows: RowListDep, ended: HasEnd = None) -> Page[IncidentOut]:
    """Return incidents ordered by id, one page at a time."""
    page = rows.rows(Incident, known_until=PRESENT, ended_at=ended)
    items = _incidents_out(rows.session, rows.workspace_id, page.rows)
    return Page(items=items, next_cursor=page.next_cursor)


def _incidents_out(
    session: Session, workspace_id: str, rows: Sequence[Incident]
) -> list[IncidentOut]:
    affected = detail_queries.list_affected_accounts(
        session, workspace_id, [row.incident_id for row in rows]
    )
    return [
        IncidentOut.from_row(
            row, accounts=[each for each in affected if each.incident_id == row.incident_id]
        )
        for row in rows
    ]
