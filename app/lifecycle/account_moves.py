"""The steps of a rename or merge: all rows of the old account id go to the new one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts.past_fields import KEPT_COLUMNS
from app.accounts.refresh_queue import Priority, mark_due
from app.accounts.subscription_queries import PREFIXED_ID
from app.accounts.subscription_service import TRAITS
from app.accounts.tables import Account, Subscription
from app.alerts import actions as alerts
from app.core.db import Table
from app.core.sql import load_sql
from app.engagement.versions.merges import merge_incidents
from app.lifecycle.account_tables import (
    DISCARDED_TABLES,
    MOVED_TABLES,
    RECORDING_TABLES,
    SCORE_TABLES,
)
from app.lifecycle.steps import (
    Step,
    StepResult,
    delete_page,
    execute,
    key_columns,
    remove_page,
    run_event_window,
    set_fence,
)
from app.lifecycle.tables import IdChange, IdChangeKind

SQL = load_sql(__file__)

MoveParameters = Mapping[str, Any]
"""SQL parameters: ``workspace_id``, the old ``account_id`` and the current ``target_id``."""

HAS_TRIAL = "coalesce(t.trial_started_on, t.trial_ends_on) IS NOT NULL"
MERGE_EXPRESSIONS = {
    "traits": "s.traits || t.traits",
    "feature_exceptions": "s.feature_exceptions || t.feature_exceptions",
    "started_on": "least(t.started_on, s.started_on)",
    "traits_at": "greatest(t.traits_at, s.traits_at)",
    "field_times": "CASE WHEN t.field_times ? '*' THEN t.field_times"
    " ELSE s.field_times || t.field_times END",
    **{
        name: f"CASE WHEN {HAS_TRIAL} THEN t.{name} ELSE s.{name} END"
        for name in ("trial_started_on", "trial_ends_on")
    },
    "deleted_on": "t.deleted_on",
    "lifecycle_dates": f"CASE WHEN {HAS_TRIAL} THEN t.lifecycle_dates"
    " ELSE (s.lifecycle_dates - 'deleted_on') || t.lifecycle_dates END",
    "created_at": "least(t.created_at, s.created_at)",
    "parent_id": "t.parent_id",
    "excluded_days": "t.excluded_days",
    "excluded_on": "t.excluded_on",
}
"""How a merge combines columns of target (t) and source (s); others: ``coalesce(t, s)``.

The days of a trial stay together. The deletion of an account that was merged is not the target's.
"""


def _columns(table: type[Table], *without: str) -> list[str]:
    """Return the columns of a table, so that no statement forgets a new column."""
    return [column.name for column in table.__table__.columns if column.name not in without]


COPY_ACCOUNT = SQL.compose("copy_account", columns=", ".join(_columns(Account, "account_id")))
MERGE_ACCOUNT = SQL.compose(
    "merge_account",
    merged=", ".join(
        f"{name} = {MERGE_EXPRESSIONS.get(name, f'coalesce(t.{name}, s.{name})')}"
        for name in _columns(Account, *key_columns(Account))
    ),
)
KEEP_ACCOUNTS = SQL.compose("keep_accounts", columns=KEPT_COLUMNS)
MOVE_SUBSCRIPTIONS = SQL.compose(
    "move_subscriptions",
    columns=", ".join(_columns(Subscription, "account_id", "subscription_id")),
    prefixed=PREFIXED_ID,
)


@cache
def move_rows(table: type[Table]) -> TextClause:
    """Return the statement that gives rows the new account id, unless the target has their key."""
    name, key = table.__tablename__, key_columns(table)
    same_key = " AND ".join(f"x.{each} = {name}.{each}" for each in key if each != "account_id")
    parts = {"table": name, "same_key": same_key}
    if "account_id" not in key:
        parts["unless_taken"] = ""
    return SQL.compose("move_rows", **parts)


@cache
def note_merge(table: type[Table]) -> TextClause:
    """Return the statement that notes in the rows of an account that it is merged."""
    return SQL.compose("note_merge", table=table.__tablename__)


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
    """Give the rows of small tables the new account id; return how many. Idempotent.

    ``first``: whether this is the request; False when the worker repeats the move.
    """
    rows = execute(session, SQL.move_children, values)
    if kind is IdChangeKind.MERGE:
        alerts.resolve_merged_account(
            session, values["workspace_id"], values["account_id"], now=now
        )
        merge_incidents(
            session, values["workspace_id"], values["account_id"], target_id=values["target_id"]
        )
        execute(session, SQL.keep_assignments, values)
        for table in RECORDING_TABLES:
            execute(session, note_merge(table), {**values, "day": now.date()})
    own_id = TRAITS if kind is IdChangeKind.MERGE else None
    moved = {**values, "first": first, "own_id": own_id}
    rows += session.scalar(MOVE_SUBSCRIPTIONS, moved) or 0
    tables = MOVED_TABLES if kind is IdChangeKind.MERGE else (*MOVED_TABLES, *SCORE_TABLES)
    rows += sum(execute(session, move_rows(table), values) for table in tables)
    if kind is IdChangeKind.MERGE:
        execute(session, SQL.mark_history_merged, values)
        execute(session, SQL.end_overrides, {**values, "now": now})
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
    return _step(
        lambda session, _, values, __: remove_page(session, statement, values, counts=counts)
    )


@_step
def _move_small_again(
    session: Session, change: IdChange, values: MoveParameters, _: str | None
) -> StepResult:
    """Move the rows of small tables that were written under the old id after the request.

    Their transactions began before the alias was visible.
    """
    execute(session, MERGE_ACCOUNT, values)
    execute(session, SQL.delete_account, values)
    kind, at = IdChangeKind(change.kind), change.requested_at
    return StepResult(move_small_tables(session, kind, values, first=False, now=at))


@_step
def _move_first_use(
    session: Session, _: IdChange, values: MoveParameters, __: str | None
) -> StepResult:
    rows = session.scalar(SQL.move_first_use, values) or 0
    execute(session, SQL.prune_first_use, values)
    return StepResult(rows)


@_step
def _move_events(
    session: Session, _: IdChange, values: MoveParameters, position: str | None
) -> StepResult:
    return run_event_window(session, SQL.move_events, values, position)


@_step
def _delete_rest(
    session: Session, _: IdChange, values: MoveParameters, __: str | None
) -> StepResult:
    old_rows = {**values, "ids": [values["account_id"]]}
    for table in DISCARDED_TABLES:
        remove_page(session, delete_page(table), old_rows)
    return StepResult(0)


def _finish(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Score the account again without notifications: only its id has changed."""
    target = [move_parameters(session, change)["target_id"]]
    mark_due(session, change.workspace_id, target, priority=Priority.SILENT, notify=False)
    return StepResult(0)


MOVE_STEPS: Mapping[str, Step] = {
    "settle": set_fence,
    "account": _move_small_again,
    "users": _move_in_pages(SQL.move_users),
    "usage": _move_in_pages(SQL.move_usage, counts=True),
    "reach": _move_in_pages(SQL.move_reach, counts=True),
    "first_use": _move_first_use,
    "events": _move_events,
    "rest": _delete_rest,
    "finish": _finish,
}
"""The steps in order. Neither account is scored until all are done. Step names are stored."""
