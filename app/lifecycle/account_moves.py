"""Renaming and merging: everything that stands under an account's old id goes to the new one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts.due import Priority
from app.accounts.queries import mark_due
from app.accounts.tables import Due, ExternalId, ParkedAccount
from app.alerts import actions as alerts
from app.alerts.tables import Alert, AlertState
from app.billing.tables import BillingCustomer, BillingSubscription, Invoice
from app.changes.tables import Change
from app.churn.tables import ChurnRisk, ChurnRiskHistory
from app.core.db import Table
from app.engagement.tables import (
    FeedbackItem,
    Goal,
    IncidentAccount,
    OnboardingCompletion,
    SurveyResponse,
    Ticket,
)
from app.events.tables import StaleAccount
from app.health.tables import HealthHistory, HealthScore, ScoreOverride
from app.interventions.tables import Assignment, Intervention
from app.lifecycle import statements, table_statements
from app.lifecycle.kinds import IdChangeKind
from app.lifecycle.steps import (
    Step,
    StepResult,
    execute,
    remove_in_pages,
    run_event_window,
    set_fence,
)
from app.lifecycle.tables import IdChange
from app.signals.tables import AccountActivity, AccountSignal
from app.webhooks.tables import Message, MessageSequence

MoveParameters = Mapping[str, Any]
"""The workspace, the old id and the account's id of today, as the statements name them."""

MOVED_TABLES: tuple[type[Table], ...] = (
    ExternalId,
    BillingCustomer,
    BillingSubscription,
    Invoice,
    *(Ticket, SurveyResponse, FeedbackItem, Goal, OnboardingCompletion, IncidentAccount),
    StaleAccount,
    Alert,
    Change,
    Message,
    Intervention,
    Assignment,
    MessageSequence,
)
"""Rows that are the new account's from then on."""

SCORE_TABLES: tuple[type[Table], ...] = (
    *(HealthScore, HealthHistory, ScoreOverride, AlertState, AccountSignal),
    *(ChurnRisk, ChurnRiskHistory),
)
"""Go along with a rename; of a merged account the target has its own."""

DISCARDED_TABLES: tuple[type[Table], ...] = (
    *(AlertState, AccountSignal, AccountActivity),
    *(StaleAccount, Due, ParkedAccount, HealthScore, ChurnRisk, ChurnRiskHistory),
    *(OnboardingCompletion, IncidentAccount, Assignment, MessageSequence),
)
"""What is left under the old id says nothing any more."""


def move_parameters(session: Session, change: IdChange) -> MoveParameters:
    """Name the accounts; the target may have taken yet another id in the meantime."""
    target_id = aliases.current_id(session, change.workspace_id, change.target_id or "")
    return {
        "workspace_id": change.workspace_id,
        "account_id": change.account_id,
        "target_id": target_id,
    }


def move_small_tables(
    session: Session, kind: IdChangeKind, values: MoveParameters, *, first: bool, now: datetime
) -> int:
    """Move what is small enough for the request itself. Safe to repeat."""
    rows = execute(session, statements.MOVE_CHILDREN, values)
    if kind is IdChangeKind.MERGE:
        alerts.resolve_merged_account(
            session, values["workspace_id"], values["account_id"], now=now
        )
    rows += session.scalar(table_statements.move_subscriptions(), {**values, "first": first}) or 0
    rows += sum(
        execute(session, table_statements.move_rows(table), values) for table in MOVED_TABLES
    )
    if kind is IdChangeKind.RENAME:
        rows += sum(
            execute(session, table_statements.move_rows(table), values) for table in SCORE_TABLES
        )
    else:
        execute(session, statements.MARK_HISTORY_MERGED, values)
        execute(session, statements.END_OVERRIDES, {**values, "now": now})
    return rows


def _step(move: Callable[[Session, IdChange, MoveParameters, str | None], StepResult]) -> Step:
    """Name the accounts to a step. If the account has its old id again, nothing is to be moved."""

    def step(session: Session, change: IdChange, position: str | None) -> StepResult:
        values = move_parameters(session, change)
        if values["account_id"] == values["target_id"]:
            return StepResult(0)
        return move(session, change, values, position)

    return step


def _emptying(statement: TextClause, *, counts: bool = False) -> Step:
    page = remove_in_pages(statement, counts=counts)
    return _step(lambda session, _, values, __: page(session, values))


def _small(session: Session, change: IdChange, values: MoveParameters, _: str | None) -> StepResult:
    """Once more, for who had not heard of the move when it began."""
    execute(session, table_statements.merge_account(), values)
    execute(session, table_statements.DELETE_ACCOUNT, values)
    at = change.requested_at
    return StepResult(
        move_small_tables(session, IdChangeKind(change.kind), values, first=False, now=at)
    )


def _first_use(session: Session, _: IdChange, values: MoveParameters, __: str | None) -> StepResult:
    rows = session.scalar(statements.MOVE_FIRST_USE, values) or 0
    execute(session, statements.PRUNE_FIRST_USE, values)
    return StepResult(rows)


def _events(
    session: Session, _: IdChange, values: MoveParameters, position: str | None
) -> StepResult:
    return run_event_window(session, statements.MOVE_EVENTS, values, position)


def _drop_rest(
    session: Session, change: IdChange, values: MoveParameters, _: str | None
) -> StepResult:
    ids = [values["account_id"]]
    for table in DISCARDED_TABLES:
        of_old = {"workspace_id": change.workspace_id, "ids": ids}
        remove_in_pages(table_statements.delete_page(table))(session, of_old)
    return StepResult(0)


def _finish(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Score the account anew, silently: nothing has happened but its name."""
    target = [move_parameters(session, change)["target_id"]]
    mark_due(session, change.workspace_id, target, priority=Priority.SILENT, notify=False)
    return StepResult(0)


MOVE_STEPS: Mapping[str, Step] = {
    "settle": set_fence,
    "account": _step(_small),
    "users": _emptying(statements.MOVE_USERS),
    "usage": _emptying(statements.MOVE_USAGE, counts=True),
    "reach": _emptying(statements.MOVE_REACH, counts=True),
    "first_use": _step(_first_use),
    "events": _step(_events),
    "rest": _step(_drop_rest),
    "finish": _finish,
}
"""The steps in their order. Until all are done neither of the two accounts is scored."""
