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
from app.alerts import acts as alerts
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
from app.lifecycle import row_statements, statements
from app.lifecycle.kinds import Kind
from app.lifecycle.paging import Page, Step, emptying, run, settle, through_events
from app.lifecycle.tables import IdChange
from app.signals.tables import AccountActivity, AccountSignal
from app.webhooks.tables import Message, MessageSequence

Values = Mapping[str, Any]
"""The workspace, the old id and the account's id of today, as the statements name them."""

SHIFTED: tuple[type[Table], ...] = (
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

OF_A_SCORE: tuple[type[Table], ...] = (
    *(HealthScore, HealthHistory, ScoreOverride, AlertState, AccountSignal),
    *(ChurnRisk, ChurnRiskHistory),
)
"""Go along with a rename; of a merged account the target has its own."""

LEFT_BEHIND: tuple[type[Table], ...] = (
    *(AlertState, AccountSignal, AccountActivity),
    *(StaleAccount, Due, ParkedAccount, HealthScore, ChurnRisk, ChurnRiskHistory),
    *(OnboardingCompletion, IncidentAccount, Assignment, MessageSequence),
)
"""What is left under the old id says nothing any more."""


def values_of(session: Session, change: IdChange) -> Values:
    """Name the accounts; the target may have taken yet another id in the meantime."""
    target_id = aliases.current_id(session, change.workspace_id, change.target_id or "")
    return {
        "workspace_id": change.workspace_id,
        "account_id": change.account_id,
        "target_id": target_id,
    }


def move_small(session: Session, kind: Kind, values: Values, *, first: bool, now: datetime) -> int:
    """Move what is small enough for the request itself. Safe to repeat."""
    rows = run(session, statements.MOVE_CHILDREN, values)
    if kind is Kind.MERGE:
        alerts.end_merged(session, values["workspace_id"], values["account_id"], now=now)
    rows += session.scalar(row_statements.move_subscriptions(), {**values, "first": first}) or 0
    rows += sum(run(session, row_statements.shift(table), values) for table in SHIFTED)
    if kind is Kind.RENAME:
        rows += sum(run(session, row_statements.shift(table), values) for table in OF_A_SCORE)
    else:
        run(session, statements.MARK_HISTORY, values)
        run(session, statements.END_OVERRIDES, {**values, "now": now})
    return rows


def _step(move: Callable[[Session, IdChange, Values, str | None], Page]) -> Step:
    """Name the accounts to a step. If the account has its old id again, nothing is to be moved."""

    def step(session: Session, change: IdChange, position: str | None) -> Page:
        values = values_of(session, change)
        if values["account_id"] == values["target_id"]:
            return Page(0)
        return move(session, change, values, position)

    return step


def _emptying(statement: TextClause, *, counts: bool = False) -> Step:
    page = emptying(statement, counts=counts)
    return _step(lambda session, _, values, __: page(session, values))


def _small(session: Session, change: IdChange, values: Values, _: str | None) -> Page:
    """Once more, for who had not heard of the move when it began."""
    run(session, row_statements.absorb_account(), values)
    run(session, row_statements.DROP_ACCOUNT, values)
    at = change.requested_at
    return Page(move_small(session, Kind(change.kind), values, first=False, now=at))


def _first_use(session: Session, _: IdChange, values: Values, __: str | None) -> Page:
    rows = session.scalar(statements.MOVE_FIRST_USE, values) or 0
    run(session, statements.PRUNE_FIRST_USE, values)
    return Page(rows)


def _events(session: Session, _: IdChange, values: Values, position: str | None) -> Page:
    return through_events(session, statements.MOVE_EVENTS, values, position)


def _drop_rest(session: Session, change: IdChange, values: Values, _: str | None) -> Page:
    ids = [values["account_id"]]
    for table in LEFT_BEHIND:
        of_old = {"workspace_id": change.workspace_id, "ids": ids}
        emptying(row_statements.drop_page(table))(session, of_old)
    return Page(0)


def _finish(session: Session, change: IdChange, _: str | None) -> Page:
    """Score the account anew, silently: nothing has happened but its name."""
    target = [values_of(session, change)["target_id"]]
    mark_due(session, change.workspace_id, target, priority=Priority.SILENT, notify=False)
    return Page(0)


MOVE: Mapping[str, Step] = {
    "settle": settle,
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
