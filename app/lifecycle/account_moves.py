"""The steps of a rename or merge: all rows of the old account id go to the new one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts.refresh_queue import Priority, mark_due
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
"""SQL parameters: ``workspace_id``, the old ``account_id`` and the current ``target_id``."""

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
"""Tables whose rows get the new account id."""

SCORE_TABLES: tuple[type[Table], ...] = (
    *(HealthScore, HealthHistory, ScoreOverride, AlertState, AccountSignal),
    *(ChurnRisk, ChurnRiskHistory),
)
"""Tables that move with a rename. In a merge the target keeps its own rows."""

DISCARDED_TABLES: tuple[type[Table], ...] = (
    *(AlertState, AccountSignal, AccountActivity),
    *(StaleAccount, Due, ParkedAccount, HealthScore, ChurnRisk, ChurnRiskHistory),
    *(OnboardingCompletion, IncidentAccount, Assignment, MessageSequence),
)
"""Tables whose remaining rows of the old id are deleted at the end."""


def move_parameters(session: Session, change: IdChange) -> MoveParameters:
    """Return the SQL parameters of a move. The target may have been renamed again meanwhile."""
    target_id = aliases.current_id(session, change.workspace_id, change.target_id or "")
    return {
        "workspace_id": change.workspace_id,
        "account_id": change.account_id,
        "target_id": target_id,
    }


def move_small_tables(
    session: Session, kind: IdChangeKind, values: MoveParameters, *, first: bool, now: datetime
) -> int:
    """Move the tables that are small enough for the request; return the rows. Idempotent."""
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
    """Make a step of a function. It does nothing if the account has its old id again."""

    def step(session: Session, change: IdChange, position: str | None) -> StepResult:
        values = move_parameters(session, change)
        if values["account_id"] == values["target_id"]:
            return StepResult(0)
        return move(session, change, values, position)

    return step


def _move_in_pages(statement: TextClause, *, counts: bool = False) -> Step:
    move = remove_in_pages(statement, counts=counts)
    return _step(lambda session, _, values, __: move(session, values))


def _move_small_again(
    session: Session, change: IdChange, values: MoveParameters, _: str | None
) -> StepResult:
    """Repeat the small moves, for transactions that did not see the alias when they began."""
    execute(session, table_statements.merge_account(), values)
    execute(session, table_statements.DELETE_ACCOUNT, values)
    at = change.requested_at
    return StepResult(
        move_small_tables(session, IdChangeKind(change.kind), values, first=False, now=at)
    )


def _move_first_use(
    session: Session, _: IdChange, values: MoveParameters, __: str | None
) -> StepResult:
    rows = session.scalar(statements.MOVE_FIRST_USE, values) or 0
    execute(session, statements.PRUNE_FIRST_USE, values)
    return StepResult(rows)


def _move_events(
    session: Session, _: IdChange, values: MoveParameters, position: str | None
) -> StepResult:
    return run_event_window(session, statements.MOVE_EVENTS, values, position)


def _delete_rest(
    session: Session, change: IdChange, values: MoveParameters, _: str | None
) -> StepResult:
    ids = [values["account_id"]]
    for table in DISCARDED_TABLES:
        old_rows = {"workspace_id": change.workspace_id, "ids": ids}
        remove_in_pages(table_statements.delete_page(table))(session, old_rows)
    return StepResult(0)


def _finish(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Score the account again without notifications: only its id has changed."""
    target = [move_parameters(session, change)["target_id"]]
    mark_due(session, change.workspace_id, target, priority=Priority.SILENT, notify=False)
    return StepResult(0)


MOVE_STEPS: Mapping[str, Step] = {
    "settle": set_fence,
    "account": _step(_move_small_again),
    "users": _move_in_pages(statements.MOVE_USERS),
    "usage": _move_in_pages(statements.MOVE_USAGE, counts=True),
    "reach": _move_in_pages(statements.MOVE_REACH, counts=True),
    "first_use": _step(_move_first_use),
    "events": _step(_move_events),
    "rest": _step(_delete_rest),
    "finish": _finish,
}
"""The steps in order. Neither account is scored until all are done. The names are stored."""
