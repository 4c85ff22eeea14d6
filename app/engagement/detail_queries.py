"""Queries on details: accounts of incidents, goals, completed steps, roles, moments of tickets."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import delete, inspect, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.engagement.tables import (
    PRESENT,
    Goal,
    IncidentAccount,
    OnboardingCompletion,
    PersonRole,
    TicketMoment,
)


def list_affected_accounts(
    session: Session, workspace_id: str, incident_ids: Collection[str]
) -> Sequence[IncidentAccount]:
    """Return the accounts that incidents affected, as known now, ordered by account id."""
    return session.scalars(
        select(IncidentAccount)
        .where(
            IncidentAccount.workspace_id == workspace_id,
            IncidentAccount.incident_id.in_(incident_ids),
            IncidentAccount.known_until == PRESENT,
        )
        .order_by(IncidentAccount.account_id)
        .execution_options(populate_existing=True)
    ).all()


def list_open_goals(
    session: Session, workspace_id: str, account_ids: Collection[str], as_of: date
) -> Sequence[Goal]:
    """Return the goals that were known and not closed on a day, by account and due day."""
    return session.scalars(
        select(Goal)
        .where(
            Goal.workspace_id == workspace_id,
            Goal.account_id.in_(account_ids),
            Goal.known_on <= as_of,
            Goal.known_until > as_of,
            Goal.closed_on.is_(None) | (Goal.closed_on > as_of),
        )
        .order_by(Goal.account_id, Goal.due_on, Goal.goal_id)
    ).all()


def list_closed_before(
    session: Session, workspace_id: str, ticket_ids: Collection[str]
) -> Collection[str]:
    """Return those of some tickets that were closed at least once."""
    closed = select(TicketMoment.ticket_id).where(
        TicketMoment.workspace_id == workspace_id,
        TicketMoment.ticket_id.in_(ticket_ids),
        TicketMoment.kind == "closed",
    )
    return set(session.scalars(closed))


def delete_completions(session: Session, workspace_id: str, step_key: str) -> None:
    completions = delete(OnboardingCompletion)
    session.execute(completions.filter_by(workspace_id=workspace_id, step_key=step_key))


def list_roles(session: Session, workspace_id: str, user_id: str) -> Sequence[str]:
    """Return the current roles of a person, in order."""
    current = {"workspace_id": workspace_id, "user_id": user_id, "ended_on": None}
    roles = select(PersonRole.role).filter_by(**current)
    return session.scalars(roles.order_by(PersonRole.role)).all()


def put_roles(
    session: Session, workspace_id: str, user_id: str, wanted: Collection[str], *, on: date
) -> None:
    """Replace the roles of a person from a day on."""
    user = {"workspace_id": workspace_id, "user_id": user_id}
    unwanted = update(PersonRole).where(PersonRole.role.not_in(wanted))
    session.execute(unwanted.filter_by(**user, ended_on=None).values(ended_on=on))
    new = sorted(set(wanted) - set(list_roles(session, workspace_id, user_id)))
    if new:
        rows = insert(PersonRole).values([{**user, "role": role, "known_on": on} for role in new])
        upsert = rows.on_conflict_do_update(
            index_elements=inspect(PersonRole).primary_key, set_={"ended_on": None}
        )
        session.execute(upsert)
