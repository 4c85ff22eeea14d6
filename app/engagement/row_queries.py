"""Read and write single rows and lists of them, for the API."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TypeVar

from sqlalchemy import delete, inspect, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, get_row
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
    """Return a row by its own id, or raise ``NotFoundError``. ``lock``: for update."""
    return get_row(session, table, (workspace_id, key), lock=lock)


def list_rows(
    session: Session,
    workspace_id: str,
    table: type[RowType],
    paging: Paging,
    *,
    where: Mapping[str, object],
) -> RowPage[RowType]:
    """Return one page of rows, ordered by id.

    ``where``: column to its value (None: any). True or False: whether the column has a value.
    """
    key = getattr(table, inspect(table).primary_key[1].name)
    rows = select(table).where(table.workspace_id == workspace_id)
    for name, value in where.items():
        column = getattr(table, name)
        if isinstance(value, bool):
            rows = rows.where(column.is_not(None) if value else column.is_(None))
        elif value is not None:
            rows = rows.where(column == value)
    return fetch_page(session, rows, key, paging=paging)


def list_affected_accounts(
    session: Session, workspace_id: str, incident_ids: Collection[str]
) -> Sequence[IncidentAccount]:
    """Return the accounts that incidents affected, ordered by account id."""
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
    """Return the current roles of a person, in order."""
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
    """Replace the roles of a person from a day on."""
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
    base = {"workspace_id": workspace_id, "user_id": user_id, "known_on": on}
    new = sorted(set(wanted) - set(list_roles(session, workspace_id, user_id)))
    if new:
        rows = insert(PersonRole).values([base | {"role": role} for role in new])
        upsert = rows.on_conflict_do_update(
            index_elements=inspect(PersonRole).primary_key, set_={"ended_on": None}
        )
        session.execute(upsert)
