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
from app.billing.queries import forget_account
from app.billing.tables import BillingCustomer, BillingSubscription, Invoice
from app.changes.tables import Change
from app.churn.tables import ChurnRisk, ChurnRiskHistory
from app.core.db import Table
from app.engagement.forgetting import forget
from app.engagement.tables import (
    FeedbackItem,
    Goal,
    IncidentAccount,
    OnboardingCompletion,
    SurveyResponse,
    Ticket,
)
from app.events.admission import tokens_of
from app.events.tables import StaleAccount
from app.health.tables import HealthHistory, HealthScore, ScoreOverride
from app.interventions.tables import Assignment, Intervention
from app.lifecycle import row_statements, statements
from app.lifecycle.paging import (
    FIRST_ACCOUNT,
    Page,
    Step,
    emptying,
    in_windows,
    run,
    settle,
    through_events,
)
from app.lifecycle.tables import IdChange
from app.signals.tables import AccountActivity, AccountSignal
from app.usage.tables import DailyReach, DailyUsage, FirstUse
from app.webhooks.tables import Message, MessageSequence

PAYLOADS_AT_ONCE, PEOPLE_AT_ONCE = 500, 2000

OF_AN_ACCOUNT: tuple[type[Table], ...] = (
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

NOT_OF_ANYBODY = (
    *("workspace", "api_key", "plan", "product_feature", "exchange_rate", "scorecard"),
    *("saved_segment", "segment", "alert_rule", "billing_source", "benchmark", "job", "import"),
    *("onboarding_step", "loyalty_tier", "incident"),
)
"""What the audit tells of these names neither an account nor a person, even if the words agree."""


def private(change: IdChange) -> dict[str, Any]:
    """Return what is to be found and forgotten."""
    return dict(change.private or {})


def person_values(change: IdChange) -> dict[str, Any]:
    known = private(change)
    return {
        "workspace_id": change.workspace_id,
        "user_id": known["user_id"],
        "pseudonym": known["pseudonym"],
        "anonymous": orjson.dumps(known["anonymous"]).decode(),
        "anonymous_ids": list(known["anonymous"]),
    }


def account_values(change: IdChange) -> dict[str, Any]:
    return {"workspace_id": change.workspace_id, "ids": private(change)["ids"]}


def put_tombstones(session: Session, change: IdChange, kind: str, named: Collection[str]) -> None:
    tombstones.put(
        session,
        change.workspace_id,
        kind,
        named,
        key=tombstones.make_key(session, change.workspace_id),
        erasure_id=change.id,
        now=change.requested_at,
    )


def pseudonym() -> str:
    """Random, so that nothing leads back."""
    return f"erased-{uuid4().hex}"


def hide_anonymous(session: Session, change: IdChange, _: str | None = None) -> Page:
    """Give each anonymous id of the person a pseudonym of its own, beside the id for now."""
    known = private(change)
    of_person = {"workspace_id": change.workspace_id, "user_id": known["user_id"]}
    found = set(session.scalars(statements.ANONYMOUS_IDS, of_person))
    new = sorted(found - set(known["anonymous"]))
    known["anonymous"] = {**known["anonymous"], **{each: pseudonym() for each in new}}
    change.private = known
    put_tombstones(session, change, ANONYMOUS, new)
    run(session, statements.ADD_PSEUDONYMS, person_values(change))
    return Page(len(new))


def _usage(session: Session, change: IdChange, position: str | None) -> Page:
    after = FIRST_ACCOUNT if position is None else position
    return in_windows(
        session, statements.NEXT_ACCOUNTS, statements.HIDE_USAGE, person_values(change), after
    )


def _events_of_person(session: Session, change: IdChange, position: str | None) -> Page:
    return through_events(session, statements.HIDE_EVENTS, person_values(change), position)


def _waiting(session: Session, change: IdChange, _: str | None) -> Page:
    values = person_values(change)
    return Page(run(session, statements.DROP_WAITING, {**values, "user_ids": [values["user_id"]]}))


def _quarantine(session: Session, change: IdChange, position: str | None) -> Page:
    """Delete payloads that name anybody who lies under one of this erasure's tombstones."""
    of_workspace = {"workspace_id": change.workspace_id}
    values = {**of_workspace, "after": int(position or 0), "limit": PAYLOADS_AT_ONCE}
    rows = session.execute(statements.QUARANTINED, values).all()
    tokens = {row.number: tokens_of(row.payload) for row in rows}
    key = tombstones.make_key(session, change.workspace_id)
    named = set[str]().union(*tokens.values())
    hits = tombstones.find(session, change.workspace_id, key, named, erasure_id=change.id)
    texts = {each for _, each in hits}
    numbers = [number for number, each in tokens.items() if each & texts]
    run(session, statements.DROP_QUARANTINED, {**of_workspace, "numbers": numbers})
    return Page(len(numbers), str(rows[-1].number) if len(rows) == PAYLOADS_AT_ONCE else None)


def scrub_audit(session: Session, change: IdChange, ids: Collection[str]) -> int:
    values = {
        "workspace_id": change.workspace_id,
        "ids": list(ids),
        "erasure_id": change.id,
        "others": list(NOT_OF_ANYBODY),
    }
    return run(session, statements.SCRUB_AUDIT, values)


def _forget(session: Session, change: IdChange) -> None:
    tombstones.lift(session, change.workspace_id, change.id, kind=EMAIL)
    change.private = None


def _finish_person(session: Session, change: IdChange, _: str | None) -> Page:
    """Take the last rows away that name the person, and forget whom this was about."""
    values = person_values(change)
    forget(session, change.workspace_id, [values["user_id"]], pseudonym=values["pseudonym"])
    run(session, statements.DROP_ALIASES, values)
    named = {**values, "user_ids": [values["user_id"]]}
    run(session, statements.DROP_USERS, named)
    run(session, statements.DROP_BINDINGS, named)
    run(session, statements.HIDE_IN_SIGNALS, named)
    run(session, statements.FORGET_CHAMPION, named)
    rows = scrub_audit(session, change, [values["user_id"], *values["anonymous_ids"]])
    _forget(session, change)
    return Page(rows)


def _people(session: Session, change: IdChange, after: str) -> Sequence[Row[Any]]:
    """Read a page of the account's people, and put those under tombstones who are its alone."""
    values = {**account_values(change), "after": after, "limit": PEOPLE_AT_ONCE}
    people = session.execute(statements.MEMBERS, values).all()
    ours = [person for person in people if not person.elsewhere]
    put_tombstones(session, change, MEMBER, [person.user_id for person in ours])
    put_tombstones(session, change, ANONYMOUS, [a for person in ours for a in person.anonymous_ids])
    put_tombstones(session, change, EMAIL, [person.email for person in ours if person.email])
    return people


def _mark(session: Session, change: IdChange, position: str | None) -> Page:
    """Turn the account's people away before their rows go: till then their events are its own."""
    people = _people(session, change, position or "")
    full = len(people) == PEOPLE_AT_ONCE
    return Page(len(people), people[-1].user_id if full else None)


def _members(session: Session, change: IdChange, _: str | None) -> Page:
    """Erase the people who belong to the account only; let those go who used others too."""
    people = _people(session, change, "")
    ours = [person for person in people if not person.elsewhere]
    ids = [person.user_id for person in ours]
    anonymous = [each for person in ours for each in person.anonymous_ids]
    named = {**account_values(change), "user_ids": ids, "anonymous_ids": anonymous}
    for statement in (
        statements.DROP_WAITING,
        statements.DROP_BINDINGS,
        statements.DROP_USER_ALIASES,
        statements.DROP_USERS,
    ):
        run(session, statement, named)
    run(session, statements.HIDE_IN_SIGNALS, {**named, "pseudonym": None})
    run(session, statements.FORGET_CHAMPION, named)
    forget(session, change.workspace_id, ids, pseudonym=None)
    scrub_audit(session, change, ids)
    run(session, statements.LET_GO, {**named, "user_ids": [person.user_id for person in people]})
    return Page(len(people), "on" if len(people) == PEOPLE_AT_ONCE else None)


def _events_of_account(session: Session, change: IdChange, position: str | None) -> Page:
    return through_events(session, statements.DROP_EVENTS, account_values(change), position)


def _billing(session: Session, change: IdChange, _: str | None) -> Page:
    """Of customers only their ids stay, so that what comes of them is turned away."""
    ids = private(change)["ids"]
    for account_id in ids:
        forget_account(session, change.workspace_id, account_id)
    return Page(len(ids))


def _rows(table: type[Table]) -> Step:
    drop: Callable[..., Page] = emptying(row_statements.drop_page(table))

    def step(session: Session, change: IdChange, _: str | None) -> Page:
        return drop(session, account_values(change))

    return step


def _finish_account(session: Session, change: IdChange, _: str | None) -> Page:
    values = account_values(change)
    run(session, statements.FREE_CHILDREN, values)
    run(session, alert_statements.DROP_DIGESTS, values)
    run(session, statements.FORGET_MOVES, values)
    rows = scrub_audit(session, change, values["ids"])
    _forget(session, change)
    return Page(rows)


ERASE_PERSON: Mapping[str, Step] = {
    "settle": settle,
    "anonymous_ids": hide_anonymous,
    "usage": _usage,
    "events": _events_of_person,
    "unattributed_events": _waiting,
    "quarantine": _quarantine,
    "settle_again": settle,
    "finish": _finish_person,
}
ERASE_ACCOUNT: Mapping[str, Step] = {
    "people": _mark,
    "settle": settle,
    "members": _members,
    "settle_again": settle,
    "events": _events_of_account,
    "billing": _billing,
    **{table.__tablename__: _rows(table) for table in OF_AN_ACCOUNT},
    "quarantine": _quarantine,
    "finish": _finish_account,
}
