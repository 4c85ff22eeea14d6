"""What people and other systems say of tickets, answers, feedback, goals and the like over the API.

Everything can be said again under its own id. Each write makes the account due.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import aliases, catalog, tombstones
from app.accounts import queries as accounts
from app.accounts.service import ensure_exists
from app.accounts.tables import Account
from app.core.errors import ConflictError, UnprocessableError
from app.engagement import apply_events, onboarding, row_queries
from app.engagement.parse_events import StatementRow
from app.engagement.queries import MetricQuery, load_metric_value
from app.engagement.row_queries import AccountRow, SettingRow
from app.engagement.tables import (
    FeedbackItem,
    Goal,
    OnboardingStep,
    SurveyResponse,
    Ticket,
)
from app.webhooks.outbox import NewMessage, publish
from app.workspaces.service import Actor

MOMENT_FIELDS = {"opened": "opened_at", "replied": "replied_at", "closed": "closed_at"}
FEEDBACK_RESOLVED = "feedback.resolved"


class AlreadyResolvedError(ConflictError):
    code = "already_resolved"


def put_setting(
    session: Session,
    change: Actor,
    table: type[SettingRow],
    key: str,
    said: Mapping[str, Any],
) -> SettingRow:
    """Create or replace a step or a tier; saying the same again changes nothing."""
    columns = {**said, "name": said["name"] or key}
    row, news = catalog.put(session, change, table, key, columns)
    if table is OnboardingStep and news.get("event_names"):
        onboarding.enqueue_backfill(session, change.workspace_id, actor=change.actor, now=change.at)
    return row


def delete_setting(session: Session, change: Actor, table: type[SettingRow], key: str) -> None:
    """What accounts did of a step is forgotten with it."""
    catalog.delete(session, change, table, key)
    if table is OnboardingStep:
        row_queries.delete_completions(session, change.workspace_id, key)


def put_ticket(session: Session, change: Actor, ticket_id: str, said: Mapping[str, Any]) -> Ticket:
    """Add what is said to what is known: the moments of a ticket are never taken back."""
    account_id = _ensure_account(session, change, said)
    accounts.ensure(session, change.workspace_id, Ticket, ticket_id, account_id=account_id)
    row = row_queries.get(session, change.workspace_id, Ticket, ticket_id, lock=True)
    _check_same_account(row.account_id, account_id, ticket_id)
    of_ticket = {"n": 0, "ticket_id": ticket_id, "account_id": account_id, "at": change.at}
    instants = {kind: said[name] for kind, name in MOMENT_FIELDS.items() if said[name]}
    if row.opened_at is None:
        instants.setdefault("opened", change.at)
    words = {name: said[name] for name in ("subject", "priority", "channel")}
    if not instants and any(
        value not in {None, getattr(row, name)} for name, value in words.items()
    ):
        instants["noted"] = change.at
    moments = [of_ticket | words | {"kind": kind, "at": at} for kind, at in instants.items()]
    rows = [
        StatementRow(0, "ticket", of_ticket | {"user_id": said["user_id"]}),
        *(StatementRow(0, "moment", values) for values in moments),
    ]
    apply_events.apply_rows(session, change.workspace_id, rows, known_on=change.at.date())
    mark_account_due(session, change, account_id)
    session.refresh(row)
    return row


def put_response(
    session: Session, change: Actor, response_id: str, said: Mapping[str, Any]
) -> SurveyResponse:
    columns = {**said, "account_id": _ensure_account(session, change, said)}
    return _put_account_row(
        session, change, SurveyResponse, response_id, _with_known_on(change, columns)
    )


def put_feedback(
    session: Session, change: Actor, feedback_id: str, said: Mapping[str, Any]
) -> FeedbackItem:
    """Create or replace what was said. What was answered keeps how."""
    columns = {**said, "account_id": _ensure_account(session, change, said)}
    return _put_account_row(
        session, change, FeedbackItem, feedback_id, _with_known_on(change, columns)
    )


def change_feedback(
    session: Session, change: Actor, feedback_id: str, said: Mapping[str, Any]
) -> FeedbackItem:
    row = row_queries.get(session, change.workspace_id, FeedbackItem, feedback_id, lock=True)
    if row.resolved_at is not None and "status" in said:
        raise AlreadyResolvedError(f"Feedback item {feedback_id} is resolved: {row.status}.")
    for name, value in said.items():
        setattr(row, name, value)
    audit_change(session, change, "feedback_item.changed", feedback_id, said)
    mark_account_due(session, change, row.account_id)
    return row


def resolve_feedback(
    session: Session, change: Actor, feedback_id: str, outcome: str, answer: str | None
) -> FeedbackItem:
    """Close the loop: a message tells who asked. Twice the same is the same as once."""
    row = row_queries.get(session, change.workspace_id, FeedbackItem, feedback_id, lock=True)
    if row.resolved_at is not None:
        if row.status != outcome:
            raise AlreadyResolvedError(f"Feedback item {feedback_id} is resolved: {row.status}.")
        return row
    row.status, row.answer = outcome, answer
    row.resolved_at, row.resolved_known_on = change.at, change.at.date()
    row.told_at = change.at
    data = {
        "feedback_id": feedback_id,
        "user_id": row.user_id,
        "kind": row.kind,
        "topic": row.topic,
        "product_feature": row.product_feature,
        "asked_at": row.at,
        "outcome": outcome,
        "answer": answer,
    }
    message = NewMessage(FEEDBACK_RESOLVED, data, row.account_id)
    publish(session, change.workspace_id, [message], now=change.at)
    audit_change(session, change, "feedback_item.resolved", feedback_id, {"status": outcome})
    mark_account_due(session, change, row.account_id)
    return row


def put_goal(session: Session, change: Actor, goal_id: str, said: Mapping[str, Any]) -> Goal:
    """Create or replace a goal; without a baseline it is what the metric is now."""
    today = change.at.date()
    columns = {**said, "account_id": _ensure_account(session, change, said), "known_on": today}
    columns["starts_on"] = columns["starts_on"] or today
    _check_days(columns["starts_on"], columns["due_on"])
    if columns["baseline"] is None:
        columns["baseline"] = _current_baseline(session, change, columns)
    return _put_account_row(session, change, Goal, goal_id, columns)


def change_goal(session: Session, change: Actor, goal_id: str, said: Mapping[str, Any]) -> Goal:
    row = row_queries.get(session, change.workspace_id, Goal, goal_id, lock=True)
    _check_days(row.starts_on, said.get("due_on", row.due_on))
    for name, value in said.items():
        setattr(row, name, value)
    audit_change(session, change, "goal.changed", goal_id, said)
    mark_account_due(session, change, row.account_id)
    return row


def _put_account_row(
    session: Session, change: Actor, table: type[AccountRow], key: str, columns: Mapping[str, Any]
) -> AccountRow:
    """Create or replace a row of an account; since when it is known stays as it was."""
    created = accounts.ensure(session, change.workspace_id, table, key, **columns)
    row = row_queries.get(session, change.workspace_id, table, key, lock=True)
    _check_same_account(row.account_id, columns["account_id"], key)
    for name, value in columns.items():
        if name not in {"known_on", "status"}:
            setattr(row, name, value)
    verb = "created" if created else "changed"
    audit_change(session, change, f"{table.__tablename__}.{verb}", key, {})
    mark_account_due(session, change, columns["account_id"])
    return row


def _with_known_on(change: Actor, columns: Mapping[str, Any]) -> dict[str, Any]:
    return {**columns, "at": columns["at"] or change.at, "known_on": change.at.date()}


def _ensure_account(session: Session, change: Actor, said: Mapping[str, Any]) -> str:
    """Return the account of today, created if nobody has heard of it; erased ids are refused."""
    account_id = aliases.current_id(session, change.workspace_id, said["account_id"])
    ensure_exists(session, change.workspace_id, Account, account_id)
    if said.get("user_id") is not None:
        tombstones.refuse_erased(session, change.workspace_id, tombstones.USER, said["user_id"])
    return account_id


def _check_same_account(found: str | None, said: str, key: str) -> None:
    if found is not None and found != said:
        raise ConflictError(f"{key} belongs to another account.", code="belongs_elsewhere")


def _check_days(starts_on: date, due_on: date) -> None:
    if due_on <= starts_on:
        raise UnprocessableError(
            f"due_on must lie after {starts_on}, where the goal starts.", code="days_mixed_up"
        )


def _current_baseline(session: Session, change: Actor, columns: Mapping[str, Any]) -> float:
    names = tuple(sorted(columns["event_names"]))
    asked = MetricQuery(columns["account_id"], columns["metric"], names, columns["trait"])
    as_of = min(columns["starts_on"], change.at.date())
    value = load_metric_value(session, change.workspace_id, asked, as_of=as_of, now=change.at)
    if value is None:
        raise UnprocessableError(
            "The metric has no value yet: a baseline is needed.", code="no_baseline"
        )
    return value


def audit_change(
    session: Session, change: Actor, action: str, subject: str, said: Mapping[str, Any]
) -> None:
    """Audit who changed what; the words of people are not repeated."""
    details = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in said.items()
        if name not in {"text", "answer", "comment"}
    }
    change.audit(session, action, subject, details)


def mark_account_due(session: Session, change: Actor, account_id: str) -> None:
    accounts.mark_due(session, change.workspace_id, [account_id])
