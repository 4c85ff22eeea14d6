from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TypeVar

from sqlalchemy import delete, inspect, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page as rows_of_page
from app.core.query_helpers import get_row
from app.engagement.tables import (
    FeedbackItem,
    Goal,
    Incident,
    IncidentAccount,
    LoyaltyTier,
    OnboardingCompletion,
    OnboardingStep,
    PersonRole,
    SurveyResponse,
    Ticket,
)

RowType = TypeVar(
    "RowType", Ticket, SurveyResponse, FeedbackItem, Goal, Incident, OnboardingStep, LoyaltyTier
)

SettingRow = TypeVar("SettingRow", OnboardingStep, LoyaltyTier)
AccountRow = TypeVar("AccountRow", SurveyResponse, FeedbackItem, Goal)


def get(
    session: Session, workspace_id: str, table: type[RowType], key: str, *, lock: bool = False
) -> RowType:
    """Find a row by its own id. Locked, one writer at a time has it."""
    return get_row(session, table, (workspace_id, key), lock=lock)


def list_rows(
    session: Session,
    workspace_id: str,
    table: type[RowType],
    paging: Paging,
    *,
    where: Mapping[str, object],
) -> RowPage[RowType]:
    """In the order of their ids. ``where``: a column's value; True, False: whether it has one."""
    key = getattr(table, inspect(table).primary_key[1].name)
    rows = select(table).where(table.workspace_id == workspace_id)
    for name, value in where.items():
        column = getattr(table, name)
        if isinstance(value, bool):
            rows = rows.where(column.is_not(None) if value else column.is_(None))
        elif value is not None:
            rows = rows.where(column == value)
    return rows_of_page(session, rows, key, paging=paging)


def list_affected_accounts(
    session: Session, workspace_id: str, incident_ids: Collection[str]
) -> Sequence[IncidentAccount]:
    """Return whom incidents affected, in the order of accounts."""
    return session.scalars(
        select(IncidentAccount)
        .where(
            IncidentAccount.workspace_id == workspace_id,
            IncidentAccount.incident_id.in_(incident_ids),
        )
        .order_by(IncidentAccount.account_id)
        .execution_options(populate_existing=True)
    ).all()


def delete_affected_accounts(
    session: Session, workspace_id: str, incident_id: str, *, others_than: Collection[str]
) -> None:
    session.execute(
        delete(IncidentAccount).where(
            IncidentAccount.workspace_id == workspace_id,
            IncidentAccount.incident_id == incident_id,
            IncidentAccount.account_id.not_in(others_than),
        )
    )


def delete_completions(session: Session, workspace_id: str, step_key: str) -> None:
    session.execute(
        delete(OnboardingCompletion).where(
            OnboardingCompletion.workspace_id == workspace_id,
            OnboardingCompletion.step_key == step_key,
        )
    )


def list_roles(session: Session, workspace_id: str, user_id: str) -> Sequence[str]:
    """Return the roles that a person has now, in their order."""
    return session.scalars(
        select(PersonRole.role)
        .where(
            PersonRole.workspace_id == workspace_id,
            PersonRole.user_id == user_id,
            PersonRole.ended_on.is_(None),
        )
        .order_by(PersonRole.role)
    ).all()


def put_roles(
    session: Session, workspace_id: str, user_id: str, wanted: Collection[str], *, on: date
) -> None:
    """Let a person have these roles from a day on, and no others."""
    session.execute(
        update(PersonRole)
        .where(
            PersonRole.workspace_id == workspace_id,
            PersonRole.user_id == user_id,
            PersonRole.ended_on.is_(None),
            PersonRole.role.not_in(wanted),
        )
        .values(ended_on=on)
    )
    known = {"workspace_id": workspace_id, "user_id": user_id, "known_on": on}
    new = sorted(set(wanted) - set(list_roles(session, workspace_id, user_id)))
    if new:
        rows = insert(PersonRole).values([known | {"role": role} for role in new])
        again = rows.on_conflict_do_update(
            index_elements=inspect(PersonRole).primary_key, set_={"ended_on": None}
        )
        session.execute(again)
