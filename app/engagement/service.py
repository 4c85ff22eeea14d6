"""Write tickets, surveys, feedback, goals, settings and roles for the API.

Every object has an id of its own and can be written again under it. Each write queues the account
for scoring.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from app.accounts import aliases, tombstones
from app.accounts import queries as accounts
from app.accounts.catalog import service as catalog
from app.accounts.refresh_queue import mark_due
from app.accounts.service import ensure_exists
from app.accounts.tables import Account, User
from app.core.errors import ConflictError, UnprocessableError
from app.core.query_helpers import get_row
from app.core.row_queries import ensure_row
from app.engagement import detail_queries, onboarding
from app.engagement.apply_events import apply_rows
from app.engagement.onboarding_queries import SettingRow
from app.engagement.parse_events import StatementRow
from app.engagement.queries import MetricQuery, load_metric_value
from app.engagement.tables import FeedbackItem, Goal, OnboardingStep, SurveyResponse, Ticket
from app.engagement.versions import objects
from app.engagement.versions.facts import FactKind
from app.webhooks.outbox import NewMessage, publish
from app.workspaces.service import Actor

MOMENT_FIELDS = {"opened": "opened_at", "replied": "replied_at", "closed": "closed_at"}
FEEDBACK_RESOLVED = "feedback.resolved"

AnswerRow = TypeVar("AnswerRow", SurveyResponse, FeedbackItem)
AccountRow = TypeVar("AccountRow", SurveyResponse, FeedbackItem, Goal)
ChangedRow = TypeVar("ChangedRow", FeedbackItem, Goal)


class AlreadyResolvedError(ConflictError):
    code = "already_resolved"


def put_setting(
    session: Session, actor: Actor, table: type[SettingRow], key: str, fields: Mapping[str, Any]
) -> SettingRow:
    """Create or replace an onboarding step or a loyalty tier; the same fields change nothing.

    A step with new event names enqueues a job that reads all usage.
    """
    row, changed = catalog.put(session, actor, table, key, fields)
    if table is OnboardingStep and changed.get("event_names"):
        onboarding.enqueue_backfill(session, actor)
    return row


def delete_setting(session: Session, actor: Actor, table: type[SettingRow], key: str) -> None:
    """Delete a step or a tier. The completions of a step are deleted with it."""
    catalog.delete(session, actor, table, key)
    if table is OnboardingStep:
        detail_queries.delete_completions(session, actor.workspace_id, key)


def put_ticket(session: Session, actor: Actor, ticket_id: str, fields: Mapping[str, Any]) -> Ticket:
    """Add fields to a ticket: its moments (opened, replied, closed) are never removed."""
    account_id = _ensure_account(session, actor, fields)
    ensure_row(session, actor.workspace_id, Ticket, ticket_id, account_id=account_id)
    row = get_row(session, Ticket, (actor.workspace_id, ticket_id), lock=True)
    _check_same_account(row.account_id, account_id, ticket_id)
    base = {"ticket_id": ticket_id, "account_id": account_id, "at": actor.at}
    words = {name: fields[name] for name in ("subject", "priority", "channel")}
    moments = [
        StatementRow(0, "moment", base | words | {"kind": kind, "at": at})
        for kind, at in _moments(row, fields, words, actor).items()
    ]
    ticket = StatementRow(0, "ticket", base | {"user_id": fields["user_id"]})
    apply_rows(session, actor.workspace_id, [ticket, *moments], known_on=actor.at.date())
    mark_due(session, actor.workspace_id, [account_id])
    session.refresh(row)
    return row


def _moments(
    row: Ticket, fields: Mapping[str, Any], words: Mapping[str, Any], actor: Actor
) -> dict[str, Any]:
    """Return kind to time of the moments to write, also ``noted`` if words of a ticket changed."""
    instants = {kind: fields[name] for kind, name in MOMENT_FIELDS.items() if fields[name]}
    if row.opened_at is None:
        instants.setdefault("opened", actor.at)
    elif any(value not in {None, getattr(row, name)} for name, value in words.items()):
        instants["noted"] = actor.at
    return instants


def put_answer(
    session: Session, actor: Actor, table: type[AnswerRow], key: str, fields: Mapping[str, Any]
) -> AnswerRow:
    """Create or replace a survey response or a feedback item. The same fields change nothing.

    The status and the resolution of feedback do not change. Without ``at``, feedback keeps its
    time, and another answer to a survey is one of now.
    """
    columns = {**fields, "account_id": _ensure_account(session, actor, fields)}
    row = objects.lock_present(session, actor, table, key)
    _check_same_account(row.account_id if row else None, columns["account_id"], key)
    if row is not None:
        columns.pop("status", None)
        keeps_time = table is FeedbackItem or not _changes(row, columns, without="at")
        columns["at"] = columns["at"] or (row.at if keeps_time else actor.at)
    else:
        columns["at"] = columns["at"] or actor.at
    return _put_account_row(session, actor, table, key, row, columns=columns)


def change_feedback(
    session: Session, actor: Actor, feedback_id: str, changes: Mapping[str, Any]
) -> FeedbackItem:
    row = objects.require_present(session, actor, FeedbackItem, feedback_id)
    if row.resolved_at is not None and "status" in changes:
        raise _already_resolved(row)
    return _change_account_row(session, actor, row, feedback_id, changes)


def resolve_feedback(
    session: Session, actor: Actor, feedback_id: str, outcome: str, answer: str | None
) -> FeedbackItem:
    """Resolve feedback and publish ``feedback.resolved``. The same outcome again does nothing."""
    row = objects.require_present(session, actor, FeedbackItem, feedback_id)
    if row.resolved_at is not None:
        if row.status != outcome:
            raise _already_resolved(row)
        return row
    times = {"resolved_at": actor.at, "notified_at": actor.at}
    resolution = {"status": outcome, "answer": answer, **times}
    row = objects.record(
        session, actor, FeedbackItem, feedback_id, FactKind.RESOLVED, fields=resolution
    )
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
    publish(session, actor.workspace_id, [message], now=actor.at)
    audit_change(session, actor, "feedback_item.resolved", feedback_id, {"status": outcome})
    mark_due(session, actor.workspace_id, [row.account_id])
    return row


def _already_resolved(row: FeedbackItem) -> AlreadyResolvedError:
    return AlreadyResolvedError(
        f"Feedback item {row.feedback_id} is resolved already, with the outcome {row.status}."
        " Its status and outcome cannot change."
    )


def put_goal(session: Session, actor: Actor, goal_id: str, fields: Mapping[str, Any]) -> Goal:
    """Create or replace a goal. Without a start, a goal keeps the one that it has.

    Without a baseline, the baseline is the metric's value on the day of the start, or now.
    """
    account_id = _ensure_account(session, actor, fields)
    row = objects.lock_present(session, actor, Goal, goal_id)
    _check_same_account(row.account_id if row else None, account_id, goal_id)
    columns = {**fields, "account_id": account_id}
    columns["starts_on"] = columns["starts_on"] or (row.starts_on if row else actor.at.date())
    _check_days(columns["starts_on"], columns["due_on"])
    if columns["baseline"] is None:
        columns["baseline"] = _current_baseline(session, actor, columns)
    return _put_account_row(session, actor, Goal, goal_id, row, columns=columns)


def change_goal(session: Session, actor: Actor, goal_id: str, changes: Mapping[str, Any]) -> Goal:
    row = objects.require_present(session, actor, Goal, goal_id)
    _check_days(row.starts_on, changes.get("due_on", row.due_on))
    return _change_account_row(session, actor, row, goal_id, changes)


def put_user_roles(
    session: Session, actor: Actor, user_id: str, roles: Collection[str]
) -> list[str]:
    """Replace the roles of a person from now on; return them in order."""
    user = accounts.get(session, actor.workspace_id, User, user_id, lock=True)
    detail_queries.put_roles(session, actor.workspace_id, user_id, roles, on=actor.at.date())
    audit_change(session, actor, "person.roles", user_id, {"roles": sorted(set(roles))})
    if user.account_id is not None:
        mark_due(session, actor.workspace_id, [user.account_id])
    return sorted(set(roles))


def _put_account_row(
    session: Session,
    actor: Actor,
    table: type[AccountRow],
    key: str,
    row: AccountRow | None,
    *,
    columns: Mapping[str, Any],
) -> AccountRow:
    """Create a row of an account, or replace the locked one; equal columns add no version."""
    verb = "changed" if row else "created"
    if row is None or _changes(row, columns):
        row = objects.record(session, actor, table, key, FactKind.REPLACED, fields=columns)
    audit_change(session, actor, f"{table.__tablename__}.{verb}", key, {})
    mark_due(session, actor.workspace_id, [columns["account_id"]])
    return row


def _changes(row: AccountRow, columns: Mapping[str, Any], *, without: str = "") -> bool:
    return any(getattr(row, name) != value for name, value in columns.items() if name != without)


def _change_account_row(
    session: Session, actor: Actor, row: ChangedRow, key: str, changes: Mapping[str, Any]
) -> ChangedRow:
    table, columns = type(row), {**changes, "account_id": row.account_id}
    row = objects.record(session, actor, table, key, FactKind.CHANGED, fields=columns)
    audit_change(session, actor, f"{row.__tablename__}.changed", key, changes)
    mark_due(session, actor.workspace_id, [row.account_id])
    return row


def _ensure_account(session: Session, actor: Actor, fields: Mapping[str, Any]) -> str:
    """Return the current account id; insert a missing account. Raises ``ErasedError``."""
    account_id = aliases.current_id(session, actor.workspace_id, fields["account_id"])
    ensure_exists(session, actor.workspace_id, Account, account_id)
    if fields.get("user_id") is not None:
        tombstones.refuse_erased(session, actor.workspace_id, tombstones.USER, fields["user_id"])
    return account_id


def _check_same_account(existing: str | None, account_id: str, key: str) -> None:
    if existing is not None and existing != account_id:
        raise ConflictError(
            f"{key} belongs to another account. Send its account_id, or use another id.",
            code="belongs_elsewhere",
        )


def _check_days(starts_on: date, due_on: date) -> None:
    if due_on <= starts_on:
        raise UnprocessableError(
            f"due_on must be after {starts_on}, the day on which the goal starts.",
            code="days_mixed_up",
        )


def _current_baseline(session: Session, actor: Actor, columns: Mapping[str, Any]) -> float:
    names = tuple(sorted(columns["event_names"]))
    metric = MetricQuery(columns["account_id"], columns["metric"], names, columns["trait"])
    as_of = min(columns["starts_on"], actor.at.date())
    value = load_metric_value(session, actor.workspace_id, metric, as_of=as_of)
    if value is None:
        raise UnprocessableError(
            "The metric has no value yet. Send a baseline.", code="no_baseline"
        )
    return value


def audit_change(
    session: Session, actor: Actor, action: str, subject: str, changes: Mapping[str, Any]
) -> None:
    """Write an audit entry, without texts that people wrote."""
    details = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in changes.items()
        if name not in {"text", "answer", "comment"}
    }
    actor.audit(session, action, subject, details)
