"""The steps that erase a user (usage stays under a pseudonym) or an account (nothing stays)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.accounts import tombstones
from app.accounts.tables import Account, Due, ExternalId, ParkedAccount, Subscription
from app.accounts.tombstones import ANONYMOUS, EMAIL, MEMBER
from app.alerts import statements as alert_statements
from app.alerts.tables import Alert, AlertState
from app.billing.queries import erase_account
from app.billing.tables import BillingCustomer, BillingSubscription, Invoice
from app.changes.tables import Change
from app.churn.tables import ChurnRisk, ChurnRiskHistory
from app.core.db import Table
from app.engagement.erasure import erase_people
from app.engagement.tables import (
    FeedbackItem,
    Goal,
    IncidentAccount,
    OnboardingCompletion,
    SurveyResponse,
    Ticket,
)
from app.events.ingestion.identity_filter import payload_tokens
from app.events.tables import StaleAccount
from app.health.tables import HealthHistory, HealthScore, ScoreOverride
from app.interventions.tables import Assignment, Intervention
from app.lifecycle import statements, table_statements
from app.lifecycle.steps import (
    MORE,
    START_ACCOUNT,
    Step,
    StepResult,
    execute,
    remove_in_pages,
    run_event_window,
    run_window,
    set_fence,
)
from app.lifecycle.tables import IdChange
from app.signals.tables import AccountActivity, AccountSignal
from app.usage.tables import DailyReach, DailyUsage, FirstUse
from app.webhooks.tables import Message, MessageSequence

PAYLOADS_PER_PAGE, USERS_PER_PAGE = 500, 2000

ACCOUNT_TABLES: tuple[type[Table], ...] = (
    *(AlertState, Alert),
    *(DailyUsage, DailyReach, FirstUse),
    *(Subscription, ExternalId, Invoice, BillingSubscription, BillingCustomer),
    *(Ticket, SurveyResponse, FeedbackItem, Goal, OnboardingCompletion, IncidentAccount),
    *(HealthHistory, HealthScore, ScoreOverride, StaleAccount),
    *(ChurnRisk, ChurnRiskHistory),
    *(AccountSignal, AccountActivity, Change, Message, MessageSequence, Intervention, Assignment),
    *(Due, ParkedAccount, Account),
)
"""All rows of the account's ids are deleted."""

NON_PERSONAL_SUBJECTS = (
    *("workspace", "api_key", "plan", "product_feature", "exchange_rate", "scorecard"),
    *("saved_segment", "segment", "alert_rule", "billing_source", "benchmark", "job", "import"),
    *("onboarding_step", "loyalty_tier", "incident"),
)
"""Prefixes of audit actions whose subject never is an account or a user, even if it matches."""


def private_data(change: IdChange) -> dict[str, Any]:
    """Return the ids and pseudonyms of an erasure; they are deleted when it is done."""
    return dict(change.private or {})


def user_parameters(change: IdChange) -> dict[str, Any]:
    """Return the SQL parameters for the erasure of a user."""
    data = private_data(change)
    return {
        "workspace_id": change.workspace_id,
        "user_id": data["user_id"],
        "pseudonym": data["pseudonym"],
        "anonymous": orjson.dumps(data["anonymous"]).decode(),
        "anonymous_ids": list(data["anonymous"]),
    }


def account_parameters(change: IdChange) -> dict[str, Any]:
    """Return the SQL parameters for the erasure of an account."""
    return {"workspace_id": change.workspace_id, "ids": private_data(change)["ids"]}


def insert_tombstones(session: Session, change: IdChange, kind: str, ids: Collection[str]) -> None:
    """Store hashes of ids, so that events that name them are refused."""
    tombstones.put(
        session,
        change.workspace_id,
        kind,
        ids,
        key=tombstones.ensure_key(session, change.workspace_id),
        erasure_id=change.id,
        now=change.requested_at,
    )


def new_pseudonym() -> str:
    """Return a random pseudonym, which cannot be traced back to the id."""
    return f"erased-{uuid4().hex}"


def pseudonymize_anonymous_ids(
    session: Session, change: IdChange, _: str | None = None
) -> StepResult:
    """Add an alias with a pseudonym for each anonymous id of the user; the old aliases stay."""
    data = private_data(change)
    of_user = {"workspace_id": change.workspace_id, "user_id": data["user_id"]}
    anonymous_ids = set(session.scalars(statements.LIST_ANONYMOUS_IDS, of_user))
    new = sorted(anonymous_ids - set(data["anonymous"]))
    data["anonymous"] = {**data["anonymous"], **{each: new_pseudonym() for each in new}}
    change.private = data
    insert_tombstones(session, change, ANONYMOUS, new)
    execute(session, statements.INSERT_PSEUDONYM_ALIASES, user_parameters(change))
    return StepResult(len(new))


def _pseudonymize_usage(session: Session, change: IdChange, position: str | None) -> StepResult:
    after = START_ACCOUNT if position is None else position
    return run_window(
        session,
        statements.NEXT_ACCOUNT_WINDOW,
        statements.PSEUDONYMIZE_USAGE,
        user_parameters(change),
        after,
    )


def _pseudonymize_events(session: Session, change: IdChange, position: str | None) -> StepResult:
    return run_event_window(
        session, statements.PSEUDONYMIZE_EVENTS, user_parameters(change), position
    )


def _delete_unattributed(session: Session, change: IdChange, _: str | None) -> StepResult:
    values = user_parameters(change)
    values = {**values, "user_ids": [values["user_id"]]}
    return StepResult(execute(session, statements.DELETE_UNATTRIBUTED, values))


def _delete_quarantined(session: Session, change: IdChange, position: str | None) -> StepResult:
    """Delete quarantined payloads that contain an id under one of this erasure's tombstones."""
    of_workspace = {"workspace_id": change.workspace_id}
    values = {**of_workspace, "after": int(position or 0), "limit": PAYLOADS_PER_PAGE}
    rows = session.execute(statements.LIST_QUARANTINED, values).all()
    tokens = {row.number: payload_tokens(row.payload) for row in rows}
    key = tombstones.ensure_key(session, change.workspace_id)
    all_tokens = set[str]().union(*tokens.values())
    matches = tombstones.find_matches(
        session, change.workspace_id, key, all_tokens, erasure_id=change.id
    )
    texts = {text for _, text in matches}
    numbers = [number for number, each in tokens.items() if each & texts]
    execute(session, statements.DELETE_QUARANTINED, {**of_workspace, "numbers": numbers})
    is_full = len(rows) == PAYLOADS_PER_PAGE
    return StepResult(len(numbers), str(rows[-1].number) if is_full else None)


def redact_audit_entries(session: Session, change: IdChange, ids: Collection[str]) -> int:
    """Remove ids from the audit entries that name them; return the number of changed entries."""
    values = {
        "workspace_id": change.workspace_id,
        "ids": list(ids),
        "erasure_id": change.id,
        "others": list(NON_PERSONAL_SUBJECTS),
    }
    return execute(session, statements.REDACT_AUDIT, values)


def _delete_private_data(session: Session, change: IdChange) -> None:
    tombstones.delete(session, change.workspace_id, change.id, kind=EMAIL)
    change.private = None


def _finish_user(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Delete the last rows that name the user, and the private data of the erasure."""
    values = user_parameters(change)
    erase_people(session, change.workspace_id, [values["user_id"]], pseudonym=values["pseudonym"])
    execute(session, statements.DELETE_ALIASES, values)
    user_values = {**values, "user_ids": [values["user_id"]]}
    execute(session, statements.DELETE_USERS, user_values)
    execute(session, statements.DELETE_BINDINGS, user_values)
    execute(session, statements.PSEUDONYMIZE_SIGNALS, user_values)
    execute(session, statements.DELETE_ACTIVITY, user_values)
    rows = redact_audit_entries(session, change, [values["user_id"], *values["anonymous_ids"]])
    _delete_private_data(session, change)
    return StepResult(rows)


def _load_members(session: Session, change: IdChange, after: str) -> Sequence[Row[Any]]:
    """Return a page of the account's users; insert tombstones of those without another account."""
    values = {**account_parameters(change), "after": after, "limit": USERS_PER_PAGE}
    members = session.execute(statements.LIST_MEMBERS, values).all()
    exclusive = [member for member in members if not member.uses_other_accounts]
    anonymous_ids = [each for member in exclusive for each in member.anonymous_ids]
    insert_tombstones(session, change, MEMBER, [member.user_id for member in exclusive])
    insert_tombstones(session, change, ANONYMOUS, anonymous_ids)
    insert_tombstones(session, change, EMAIL, [m.email for m in exclusive if m.email])
    return members


def _block_members(session: Session, change: IdChange, position: str | None) -> StepResult:
    """Insert the tombstones of the users before their rows are deleted.

    Until then events without an account would still be attributed to this account.
    """
    members = _load_members(session, change, position or "")
    is_full = len(members) == USERS_PER_PAGE
    return StepResult(len(members), members[-1].user_id if is_full else None)


def _erase_members(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Erase the users of this account only; detach those who used other accounts too."""
    members = _load_members(session, change, "")
    exclusive = [member for member in members if not member.uses_other_accounts]
    ids = [member.user_id for member in exclusive]
    anonymous_ids = [each for member in exclusive for each in member.anonymous_ids]
    values = {**account_parameters(change), "user_ids": ids, "anonymous_ids": anonymous_ids}
    for statement in (
        statements.DELETE_UNATTRIBUTED,
        statements.DELETE_BINDINGS,
        statements.DELETE_USER_ALIASES,
        statements.DELETE_USERS,
    ):
        execute(session, statement, values)
    execute(session, statements.PSEUDONYMIZE_SIGNALS, {**values, "pseudonym": None})
    execute(session, statements.DELETE_ACTIVITY, values)
    erase_people(session, change.workspace_id, ids, pseudonym=None)
    redact_audit_entries(session, change, ids)
    all_ids = [member.user_id for member in members]
    execute(session, statements.DETACH_USERS, {**values, "user_ids": all_ids})
    return StepResult(len(members), MORE if len(members) == USERS_PER_PAGE else None)


def _delete_events(session: Session, change: IdChange, position: str | None) -> StepResult:
    return run_event_window(session, statements.DELETE_EVENTS, account_parameters(change), position)


def _erase_billing(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Keep only the ids of billing customers, so that their later events are refused."""
    ids = private_data(change)["ids"]
    for account_id in ids:
        erase_account(session, change.workspace_id, account_id)
    return StepResult(len(ids))


def _delete_rows(table: type[Table]) -> Step:
    delete: Callable[..., StepResult] = remove_in_pages(table_statements.delete_page(table))

    def step(session: Session, change: IdChange, _: str | None) -> StepResult:
        return delete(session, account_parameters(change))

    return step


def _finish_account(session: Session, change: IdChange, _: str | None) -> StepResult:
    values = account_parameters(change)
    execute(session, statements.DETACH_CHILDREN, values)
    execute(session, alert_statements.DELETE_DIGESTS, values)
    execute(session, statements.CLEAR_MOVE_IDS, values)
    rows = redact_audit_entries(session, change, values["ids"])
    _delete_private_data(session, change)
    return StepResult(rows)


ERASE_USER_STEPS: Mapping[str, Step] = {
    "settle": set_fence,
    "anonymous_ids": pseudonymize_anonymous_ids,
    "usage": _pseudonymize_usage,
    "events": _pseudonymize_events,
    "unattributed_events": _delete_unattributed,
    "quarantine": _delete_quarantined,
    "settle_again": set_fence,
    "finish": _finish_user,
}
"""Names of steps are stored in ``id_change``: do not rename them."""

ERASE_ACCOUNT_STEPS: Mapping[str, Step] = {
    "people": _block_members,
    "settle": set_fence,
    "members": _erase_members,
    "settle_again": set_fence,
    "events": _delete_events,
    "billing": _erase_billing,
    **{table.__tablename__: _delete_rows(table) for table in ACCOUNT_TABLES},
    "quarantine": _delete_quarantined,
    "finish": _finish_account,
}
