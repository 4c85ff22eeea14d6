"""The steps that erase a user (usage stays under a pseudonym) or an account (nothing stays)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import Row, TextClause
from sqlalchemy.orm import Session

from app.accounts import tombstones
from app.accounts.tombstones import ANONYMOUS, EMAIL, MEMBER
from app.alerts.queries import DELETE_DIGESTS
from app.billing.queries import erase_account
from app.collaboration.erasure import erase_from_texts, erase_participants
from app.core.db import Table
from app.core.sql import load_sql
from app.engagement.erasure import erase_people
from app.events.ingestion.identity_filter import payload_tokens
from app.lifecycle.account_tables import ERASED_TABLES
from app.lifecycle.steps import (
    MORE,
    Step,
    StepResult,
    delete_page,
    execute,
    remove_page,
    run_event_window,
    run_window,
    set_fence,
)
from app.lifecycle.tables import IdChange
from app.workspaces.idempotency_queries import erase_answers

SQL = load_sql(__file__)
Parameters = Callable[[IdChange], Mapping[str, Any]]

PAYLOADS_PER_PAGE, USERS_PER_PAGE = 500, 2000

NON_PERSONAL_SUBJECTS = (
    *("workspace", "api_key", "plan", "product_feature", "exchange_rate", "scorecard"),
    *("saved_segment", "segment", "alert_rule", "billing_source", "benchmark", "job", "import"),
    *("onboarding_step", "loyalty_tier", "incident"),
)
"""Audit entries with these action prefixes stay, even if their subject equals an erased id."""


def private_data(change: IdChange) -> dict[str, Any]:
    """Return the ids and pseudonyms of an erasure; they are deleted when it is done."""
    return dict(change.private or {})


def user_parameters(change: IdChange) -> dict[str, Any]:
    """Return the SQL parameters for the erasure of a user."""
    data = private_data(change)
    return {
        "workspace_id": change.workspace_id,
        "user_id": data["user_id"],
        "user_ids": [data["user_id"]],
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
    anonymous_ids = set(session.scalars(SQL.list_anonymous_ids, of_user))
    new = sorted(anonymous_ids - set(data["anonymous"]))
    data["anonymous"] = {**data["anonymous"], **{each: new_pseudonym() for each in new}}
    change.private = data
    insert_tombstones(session, change, ANONYMOUS, new)
    execute(session, SQL.insert_pseudonym_aliases, user_parameters(change))
    return StepResult(len(new))


def _pseudonymize_days(table: str) -> Step:
    """Return the step for a table of days by account and user, in windows of accounts."""
    window_end = SQL.compose("next_account_window", table=table)
    statement = SQL.compose("pseudonymize_days", table=table)
    return lambda session, change, position: run_window(
        session, window_end, statement, user_parameters(change), position or ""
    )


def _in_event_windows(statement: TextClause, parameters: Parameters) -> Step:
    return lambda session, change, position: run_event_window(
        session, statement, parameters(change), position
    )


def _delete_unattributed(session: Session, change: IdChange, _: str | None) -> StepResult:
    return StepResult(execute(session, SQL.delete_unattributed, user_parameters(change)))


def _delete_quarantined(session: Session, change: IdChange, position: str | None) -> StepResult:
    """Delete quarantined events whose payload contains an id that this erasure removes."""
    of_workspace = {"workspace_id": change.workspace_id}
    values = {**of_workspace, "after": int(position or 0), "limit": PAYLOADS_PER_PAGE}
    rows = session.execute(SQL.list_quarantined, values).all()
    tokens = {row.number: payload_tokens(row.payload) for row in rows}
    key = tombstones.ensure_key(session, change.workspace_id)
    all_tokens = set[str]().union(*tokens.values())
    matches = tombstones.find_matches(
        session, change.workspace_id, key, all_tokens, erasure_id=change.id
    )
    texts = {text for _, text in matches}
    numbers = [number for number, each in tokens.items() if each & texts]
    execute(session, SQL.delete_quarantined, {**of_workspace, "numbers": numbers})
    is_full = len(rows) == PAYLOADS_PER_PAGE
    return StepResult(len(numbers), str(rows[-1].number) if is_full else None)


def _redact(session: Session, change: IdChange, ids: Collection[str]) -> int:
    """Remove ids from the audit log and from ended jobs; return the number of changed rows."""
    return _redact_audit_entries(session, change, ids) + _redact_jobs(session, change, ids)


def _redact_audit_entries(session: Session, change: IdChange, ids: Collection[str]) -> int:
    """Remove ids from the audit entries that name them; return the number of changed entries."""
    values = {
        "workspace_id": change.workspace_id,
        "ids": list(ids),
        "erasure_id": change.id,
        "others": list(NON_PERSONAL_SUBJECTS),
    }
    return execute(session, SQL.redact_audit, values)


def _redact_jobs(session: Session, change: IdChange, ids: Collection[str]) -> int:
    """Remove ids from the settings, positions and errors of ended jobs."""
    of_workspace = {"workspace_id": change.workspace_id}
    rows = session.execute(SQL.list_jobs, {**of_workspace, "ids": list(ids)}).all()
    for row in rows:
        contents = {"config": row.config, "position": row.position}
        new = {name: orjson.dumps(_without(each, ids)).decode() for name, each in contents.items()}
        execute(session, SQL.redact_job, {**of_workspace, "id": row.id, **new})
    return len(rows)


def _without(value: Any, ids: Collection[str]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value in which each text that is an id is empty."""
    match value:
        case str():
            return "" if value in ids else value
        case dict():
            return {_without(key, ids): _without(each, ids) for key, each in value.items()}
        case list():
            return [_without(each, ids) for each in value]
    return value


def _delete_private_data(session: Session, change: IdChange) -> None:
    erase_answers(session, change.workspace_id)
    tombstones.delete(session, change.workspace_id, change.id, kind=EMAIL)
    change.private = None


def _finish_user(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Delete the last rows that name the user, and the private data of the erasure."""
    values = user_parameters(change)
    workspace_id, pseudonym = change.workspace_id, values["pseudonym"]
    erase_people(session, workspace_id, values["user_ids"], pseudonym=pseudonym)
    names = [values["user_id"], *private_data(change).get("names", ())]
    erase_participants(session, workspace_id, names, pseudonym=pseudonym)
    erase_from_texts(session, workspace_id, names, pseudonym=pseudonym)
    for statement in (
        *(SQL.delete_aliases, SQL.delete_users, SQL.delete_bindings),
        *(SQL.pseudonymize_signals, SQL.delete_activity),
    ):
        execute(session, statement, values)
    ids = [values["user_id"], *values["anonymous_ids"]]
    rows = _redact(session, change, ids)
    _delete_private_data(session, change)
    return StepResult(rows)


def _load_members(session: Session, change: IdChange, after: str) -> Sequence[Row[Any]]:
    """Return a page of the account's users; insert tombstones of those without another account."""
    values = {**account_parameters(change), "after": after, "limit": USERS_PER_PAGE}
    members = session.execute(SQL.list_members, values).all()
    exclusive = [member for member in members if not member.uses_other_accounts]
    anonymous_ids = [each for member in exclusive for each in member.anonymous_ids]
    insert_tombstones(session, change, MEMBER, [member.user_id for member in exclusive])
    insert_tombstones(session, change, ANONYMOUS, anonymous_ids)
    insert_tombstones(session, change, EMAIL, [m.email for m in exclusive if m.email])
    return members


def _block_members(session: Session, change: IdChange, position: str | None) -> StepResult:
    """Insert the tombstones of the users before their rows are deleted.

    Without tombstones, new events that name only a user would be attributed to this account.
    """
    members = _load_members(session, change, position or "")
    is_full = len(members) == USERS_PER_PAGE
    return StepResult(len(members), members[-1].user_id if is_full else None)


def _erase_members(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Erase users who used only this account; detach users who used other accounts too."""
    members = _load_members(session, change, "")
    exclusive = [member for member in members if not member.uses_other_accounts]
    ids = [member.user_id for member in exclusive]
    values = {
        **account_parameters(change),
        "user_ids": ids,
        "anonymous_ids": [each for member in exclusive for each in member.anonymous_ids],
        "pseudonym": None,
    }
    for statement in (
        *(SQL.delete_unattributed, SQL.delete_bindings, SQL.delete_user_aliases),
        *(SQL.delete_users, SQL.pseudonymize_signals, SQL.delete_activity),
    ):
        execute(session, statement, values)
    erase_people(session, change.workspace_id, ids, pseudonym=None)
    names = [name for each in exclusive for name in (each.user_id, each.email, each.name) if name]
    erase_participants(session, change.workspace_id, names, pseudonym=new_pseudonym())
    _redact(session, change, ids)
    all_ids = [member.user_id for member in members]
    execute(session, SQL.detach_users, {**values, "user_ids": all_ids})
    return StepResult(len(members), MORE if len(members) == USERS_PER_PAGE else None)


def _erase_billing(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Delete billing data, except customer ids, by which later billing events are refused."""
    ids = private_data(change)["ids"]
    for account_id in ids:
        erase_account(session, change.workspace_id, account_id)
    return StepResult(len(ids))


def _delete_rows(table: type[Table]) -> Step:
    return lambda session, change, _: remove_page(
        session, delete_page(table), account_parameters(change)
    )


def _finish_account(session: Session, change: IdChange, _: str | None) -> StepResult:
    values = account_parameters(change)
    execute(session, SQL.detach_children, values)
    execute(session, DELETE_DIGESTS, values)
    execute(session, SQL.clear_move_ids, values)
    rows = _redact(session, change, values["ids"])
    _delete_private_data(session, change)
    return StepResult(rows)


ERASE_USER_STEPS: Mapping[str, Step] = {
    "settle": set_fence,
    "anonymous_ids": pseudonymize_anonymous_ids,
    "usage": _pseudonymize_days("daily_usage"),
    "reach": _pseudonymize_days("daily_reach"),
    "events": _in_event_windows(SQL.pseudonymize_events, user_parameters),
    "unattributed_events": _delete_unattributed,
    "quarantine": _delete_quarantined,
    "settle_again": set_fence,
    "finish": _finish_user,
}
"""The steps in order. Their names are stored in ``id_change``: do not rename them."""

ERASE_ACCOUNT_STEPS: Mapping[str, Step] = {
    "people": _block_members,
    "settle": set_fence,
    "members": _erase_members,
    "settle_again": set_fence,
    "events": _in_event_windows(SQL.delete_events, account_parameters),
    "billing": _erase_billing,
    **{table.__tablename__: _delete_rows(table) for table in ERASED_TABLES},
    "quarantine": _delete_quarantined,
    "finish": _finish_account,
}
