"""Erasing: a person becomes a pseudonym in what was counted; of an account nothing is left."""

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
"""Every row under the account's ids goes."""

NON_PERSONAL_SUBJECTS = (
    *("workspace", "api_key", "plan", "product_feature", "exchange_rate", "scorecard"),
    *("saved_segment", "segment", "alert_rule", "billing_source", "benchmark", "job", "import"),
    *("onboarding_step", "loyalty_tier", "incident"),
)
"""What the audit tells of these names neither an account nor a person, even if the words agree."""


def private_data(change: IdChange) -> dict[str, Any]:
    """Return what is to be found and forgotten."""
    return dict(change.private or {})


def user_parameters(change: IdChange) -> dict[str, Any]:
    known = private_data(change)
    return {
        "workspace_id": change.workspace_id,
        "user_id": known["user_id"],
        "pseudonym": known["pseudonym"],
        "anonymous": orjson.dumps(known["anonymous"]).decode(),
        "anonymous_ids": list(known["anonymous"]),
    }


def account_parameters(change: IdChange) -> dict[str, Any]:
    return {"workspace_id": change.workspace_id, "ids": private_data(change)["ids"]}


def insert_tombstones(
    session: Session, change: IdChange, kind: str, named: Collection[str]
) -> None:
    tombstones.put(
        session,
        change.workspace_id,
        kind,
        named,
        key=tombstones.ensure_key(session, change.workspace_id),
        erasure_id=change.id,
        now=change.requested_at,
    )


def new_pseudonym() -> str:
    """Random, so that nothing leads back."""
    return f"erased-{uuid4().hex}"


def pseudonymize_anonymous_ids(
    session: Session, change: IdChange, _: str | None = None
) -> StepResult:
    """Give each anonymous id of the person a pseudonym of its own, beside the id for now."""
    known = private_data(change)
    of_person = {"workspace_id": change.workspace_id, "user_id": known["user_id"]}
    found = set(session.scalars(statements.LIST_ANONYMOUS_IDS, of_person))
    new = sorted(found - set(known["anonymous"]))
    known["anonymous"] = {**known["anonymous"], **{each: new_pseudonym() for each in new}}
    change.private = known
    insert_tombstones(session, change, ANONYMOUS, new)
    execute(session, statements.INSERT_PSEUDONYM_ALIASES, user_parameters(change))
    return StepResult(len(new))


def _usage(session: Session, change: IdChange, position: str | None) -> StepResult:
    after = START_ACCOUNT if position is None else position
    return run_window(
        session,
        statements.NEXT_ACCOUNT_WINDOW,
        statements.PSEUDONYMIZE_USAGE,
        user_parameters(change),
        after,
    )


def _events_of_person(session: Session, change: IdChange, position: str | None) -> StepResult:
    return run_event_window(
        session, statements.PSEUDONYMIZE_EVENTS, user_parameters(change), position
    )


def _waiting(session: Session, change: IdChange, _: str | None) -> StepResult:
    values = user_parameters(change)
    return StepResult(
        execute(
            session, statements.DELETE_UNATTRIBUTED, {**values, "user_ids": [values["user_id"]]}
        )
    )


def _quarantine(session: Session, change: IdChange, position: str | None) -> StepResult:
    """Delete payloads that name anybody who lies under one of this erasure's tombstones."""
    of_workspace = {"workspace_id": change.workspace_id}
    values = {**of_workspace, "after": int(position or 0), "limit": PAYLOADS_PER_PAGE}
    rows = session.execute(statements.LIST_QUARANTINED, values).all()
    tokens = {row.number: payload_tokens(row.payload) for row in rows}
    key = tombstones.ensure_key(session, change.workspace_id)
    named = set[str]().union(*tokens.values())
    hits = tombstones.find_matches(session, change.workspace_id, key, named, erasure_id=change.id)
    texts = {each for _, each in hits}
    numbers = [number for number, each in tokens.items() if each & texts]
    execute(session, statements.DELETE_QUARANTINED, {**of_workspace, "numbers": numbers})
    return StepResult(
        len(numbers), str(rows[-1].number) if len(rows) == PAYLOADS_PER_PAGE else None
    )


def redact_audit_entries(session: Session, change: IdChange, ids: Collection[str]) -> int:
    values = {
        "workspace_id": change.workspace_id,
        "ids": list(ids),
        "erasure_id": change.id,
        "others": list(NON_PERSONAL_SUBJECTS),
    }
    return execute(session, statements.REDACT_AUDIT, values)


def _forget(session: Session, change: IdChange) -> None:
    tombstones.delete(session, change.workspace_id, change.id, kind=EMAIL)
    change.private = None


def _finish_person(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Take the last rows away that name the person, and forget whom this was about."""
    values = user_parameters(change)
    erase_people(session, change.workspace_id, [values["user_id"]], pseudonym=values["pseudonym"])
    execute(session, statements.DELETE_ALIASES, values)
    named = {**values, "user_ids": [values["user_id"]]}
    execute(session, statements.DELETE_USERS, named)
    execute(session, statements.DELETE_BINDINGS, named)
    execute(session, statements.PSEUDONYMIZE_SIGNALS, named)
    execute(session, statements.DELETE_ACTIVITY, named)
    rows = redact_audit_entries(session, change, [values["user_id"], *values["anonymous_ids"]])
    _forget(session, change)
    return StepResult(rows)


def _people(session: Session, change: IdChange, after: str) -> Sequence[Row[Any]]:
    """Read a page of the account's people, and put those under tombstones who are its alone."""
    values = {**account_parameters(change), "after": after, "limit": USERS_PER_PAGE}
    people = session.execute(statements.LIST_MEMBERS, values).all()
    ours = [person for person in people if not person.external_account_id]
    insert_tombstones(session, change, MEMBER, [person.user_id for person in ours])
    insert_tombstones(
        session, change, ANONYMOUS, [a for person in ours for a in person.anonymous_ids]
    )
    insert_tombstones(session, change, EMAIL, [person.email for person in ours if person.email])
    return people


def _mark(session: Session, change: IdChange, position: str | None) -> StepResult:
    """Turn the account's people away before their rows go: till then their events are its own."""
    people = _people(session, change, position or "")
    full = len(people) == USERS_PER_PAGE
    return StepResult(len(people), people[-1].user_id if full else None)


def _members(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Erase the people who belong to the account only; let those go who used others too."""
    people = _people(session, change, "")
    ours = [person for person in people if not person.external_account_id]
    ids = [person.user_id for person in ours]
    anonymous = [each for person in ours for each in person.anonymous_ids]
    named = {**account_parameters(change), "user_ids": ids, "anonymous_ids": anonymous}
    for statement in (
        statements.DELETE_UNATTRIBUTED,
        statements.DELETE_BINDINGS,
        statements.DELETE_USER_ALIASES,
        statements.DELETE_USERS,
    ):
        execute(session, statement, named)
    execute(session, statements.PSEUDONYMIZE_SIGNALS, {**named, "pseudonym": None})
    execute(session, statements.DELETE_ACTIVITY, named)
    erase_people(session, change.workspace_id, ids, pseudonym=None)
    redact_audit_entries(session, change, ids)
    execute(
        session,
        statements.DETACH_USERS,
        {**named, "user_ids": [person.user_id for person in people]},
    )
    return StepResult(len(people), "on" if len(people) == USERS_PER_PAGE else None)


def _events_of_account(session: Session, change: IdChange, position: str | None) -> StepResult:
    return run_event_window(session, statements.DELETE_EVENTS, account_parameters(change), position)


def _billing(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Of customers only their ids stay, so that what comes of them is turned away."""
    ids = private_data(change)["ids"]
    for account_id in ids:
        erase_account(session, change.workspace_id, account_id)
    return StepResult(len(ids))


def _rows(table: type[Table]) -> Step:
    drop: Callable[..., StepResult] = remove_in_pages(table_statements.delete_page(table))

    def step(session: Session, change: IdChange, _: str | None) -> StepResult:
        return drop(session, account_parameters(change))

    return step


def _finish_account(session: Session, change: IdChange, _: str | None) -> StepResult:
    values = account_parameters(change)
    execute(session, statements.DETACH_CHILDREN, values)
    execute(session, alert_statements.DELETE_DIGESTS, values)
    execute(session, statements.CLEAR_MOVE_IDS, values)
    rows = redact_audit_entries(session, change, values["ids"])
    _forget(session, change)
    return StepResult(rows)


ERASE_USER_STEPS: Mapping[str, Step] = {
    "settle": set_fence,
    "anonymous_ids": pseudonymize_anonymous_ids,
    "usage": _usage,
    "events": _events_of_person,
    "unattributed_events": _waiting,
    "quarantine": _quarantine,
    "settle_again": set_fence,
    "finish": _finish_person,
}
ERASE_ACCOUNT_STEPS: Mapping[str, Step] = {
    "people": _mark,
    "settle": set_fence,
    "members": _members,
    "settle_again": set_fence,
    "events": _events_of_account,
    "billing": _billing,
    **{table.__tablename__: _rows(table) for table in ACCOUNT_TABLES},
    "quarantine": _quarantine,
    "finish": _finish_account,
}
