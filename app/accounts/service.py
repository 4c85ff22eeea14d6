"""Create and change accounts and users. Each write queues the affected accounts for scoring."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import literal
from sqlalchemy.orm import Session

from app.accounts import aliases, links, queries, tombstones
from app.accounts.past_fields import keep_before_changes
from app.accounts.refresh_queue import mark_due
from app.accounts.tables import Account, User
from app.accounts.traits import (
    ANY_FIELD,
    ANY_VALUE,
    field_names,
    field_time,
)
from app.accounts.user_traits import is_internal
from app.core.query_helpers import table_noun
from app.core.row_queries import ensure_row

MERGED_FIELDS = {"traits", "feature_exceptions"}


def write_account(
    session: Session,
    workspace_id: str,
    account_id: str,
    changes: Mapping[str, Any],
    *,
    replace: bool,
    now: datetime,
) -> Account:
    """Create or replace an account (``replace``), or change only the given fields.

    Without ``replace``, traits and feature exceptions are merged by name, and None removes one.
    """
    account_id = aliases.current_id(session, workspace_id, account_id)
    is_new = replace and ensure_exists(session, workspace_id, Account, account_id)
    if not is_new:
        keep_before_changes(session, workspace_id, [(account_id, changes)], today=now.date())
    account = queries.get(session, workspace_id, Account, account_id, lock=True)
    columns = {name: value for name, value in changes.items() if name not in links.LINK_FIELDS}
    _set_columns(account, columns, replace=replace)
    _note_exclusion(account, columns, is_new=is_new, now=now)
    links.apply_links(session, account, changes, replace=replace)
    _set_times(account, changes, now, replace=replace)
    mark_due(session, workspace_id, [account_id])
    return account


def write_user(
    session: Session,
    workspace_id: str,
    user_id: str,
    changes: Mapping[str, Any],
    *,
    replace: bool,
    internal_domains: Collection[str],
    now: datetime,
) -> User:
    """Create or replace a user (``replace``), or change only the given fields.

    The account is inserted before the user, as ingestion does, so that the two cannot deadlock.
    """
    if changes.get("account_id") is not None:
        account_id = aliases.current_id(session, workspace_id, changes["account_id"])
        ensure_exists(session, workspace_id, Account, account_id)
        changes = {**changes, "account_id": account_id}
    is_new = replace and ensure_exists(session, workspace_id, User, user_id)
    user = queries.get(session, workspace_id, User, user_id, lock=True)
    account_before = user.account_id
    stated = {**changes, "excluded": _is_excluded(user, changes, internal_domains)}
    _set_columns(user, stated, replace=replace)
    _note_exclusion(user, stated, is_new=is_new, now=now)
    _set_times(user, changes, now, replace=replace)
    if user.account_id != account_before:
        user.account_since = now
    touched = [account for account in (account_before, user.account_id) if account is not None]
    mark_due(session, workspace_id, touched)
    return user


def ensure_exists(
    session: Session, workspace_id: str, table: type[Account | User], key: str
) -> bool:
    """Insert an account or user unless it exists; return whether it was inserted.

    Raises ``ErasedError`` if it was erased.
    """
    is_new = ensure_row(session, workspace_id, table, key)
    if is_new:
        tombstones.refuse_erased(session, workspace_id, table_noun(table), key)
    return is_new


def _is_excluded(user: User, changes: Mapping[str, Any], internal_domains: Collection[str]) -> bool:
    """Return the value that was sent. Null: the e-mail address decides.

    If no value was sent, the address can exclude the user but not end an exclusion.
    """
    if changes.get("excluded") is not None:
        return bool(changes["excluded"])
    internal = is_internal(changes.get("email", user.email), internal_domains)
    return internal or (user.excluded and "excluded" not in changes)


def _note_exclusion(
    row: Account | User, changes: Mapping[str, Any], *, is_new: bool, now: datetime
) -> None:
    """Note the day of a change of ``excluded``. A row that is created so never counted."""
    if changes.get("excluded") is not None and not is_new:
        excluded = literal(changes["excluded"])
        for name, value in row.note_exclusion(excluded, now.date()).items():
            setattr(row, name, value)


def _set_columns(row: Account | User, changes: Mapping[str, Any], *, replace: bool) -> None:
    for name, value in changes.items():
        before = {} if replace else getattr(row, name)
        setattr(row, name, _merged(before, value) if name in MERGED_FIELDS else value)


def _set_times(
    row: Account | User, changes: Mapping[str, Any], now: datetime, *, replace: bool
) -> None:
    """Note that the given fields were stated now; with ``replace`` all fields, known or not."""
    time, names = field_time(now), field_names(changes, changes.get("traits") or ())
    if replace:
        row.field_times = {ANY_FIELD: time}
    else:
        row.field_times = times_before(row) | dict.fromkeys(names, time)
    row.traits_at = now


def times_before(row: Account | User) -> dict[str, str]:
    """Return the times of a row. Fields written by an earlier release are as old as the row."""
    if row.field_times or row.traits_at is None:
        return row.field_times
    return {ANY_VALUE: field_time(row.traits_at)}


def _merged(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**before, **changes}.items() if value is not None}
