"""Links of an account: its parent, and its ids in other systems."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from sqlalchemy.orm import Session

from app.accounts import aliases, hierarchy_queries, queries
from app.accounts.hierarchy import MOST_LEVELS
from app.accounts.refresh_queue import mark_due
from app.accounts.tables import Account
from app.accounts.traits import ANY_FIELD, ANY_VALUE
from app.core.errors import ConflictError, FieldError, ProblemError
from app.core.query_helpers import advisory_lock
from app.core.row_queries import ensure_row

LINK_FIELDS = frozenset({"parent_id", "external_ids"})
PARENT_LOCK = "parents"
"""Advisory lock: one transaction of a workspace at a time changes parents."""


class ParentCycleError(ConflictError):
    code = "parent_cycle"


class ParentTooDeepError(ConflictError):
    code = "parent_too_deep"


class UnknownParentError(ProblemError):
    status = HTTPStatus.NOT_FOUND
    code = "unknown_parent"


class GroupCallLinks(Protocol):
    """The links of one account in ``group`` calls. ``numbers``: of these calls in their batch.

    ``parent_time``: when the parent was stated (``traits.field_time``).
    """

    account_id: str
    parent_id: str | None
    parent_time: str
    external_ids: dict[str, str]
    numbers: list[int]


def apply_links(
    session: Session, account: Account, changes: Mapping[str, Any], *, replace: bool
) -> None:
    """Apply the link fields of an API call to a locked account.

    External ids are replaced by system; None removes those of a system. ``replace``: ids of systems
    that are not given are removed too, unless ``external_ids`` is None.
    """
    if "parent_id" in changes and changes["parent_id"] != account.parent_id:
        parent_id = changes["parent_id"]
        if parent_id is not None:
            parent_id = aliases.current_id(session, account.workspace_id, parent_id)
        set_parent(session, account, parent_id)
    if changes.get("external_ids") is not None:
        _set_external_ids(session, account, changes["external_ids"], replace=replace)


def set_parent(session: Session, account: Account, parent_id: str | None) -> None:
    """Set or remove the parent of an account. One writer per workspace at a time.

    Raises ``UnknownParentError``, ``ParentCycleError`` or ``ParentTooDeepError``.
    """
    if parent_id is not None:
        advisory_lock(session, PARENT_LOCK, account.workspace_id)
        _check_parent(session, account, parent_id)
    account.parent_id = parent_id
    session.flush()


def _check_parent(session: Session, account: Account, parent_id: str) -> None:
    if not hierarchy_queries.lock_account_key(session, account.workspace_id, parent_id):
        raise UnknownParentError(
            f"There is no account {parent_id} in this workspace.",
            errors=[FieldError("/body/parent_id", "Send the id of an existing account.")],
        )
    above = hierarchy_queries.list_ancestors(session, account.workspace_id, parent_id)
    if account.account_id in above:
        raise ParentCycleError(
            f"{parent_id} cannot be the parent of {account.account_id}: it is the account itself"
            " or below it. Send another parent_id."
        )
    levels = hierarchy_queries.count_levels(session, account.workspace_id, account.account_id)
    if len(above) + levels > MOST_LEVELS:
        raise ParentTooDeepError(
            f"With the parent {parent_id} the hierarchy of accounts would have more than"
            f" {MOST_LEVELS} levels. Send another parent_id."
        )


def _set_external_ids(
    session: Session,
    account: Account,
    by_system: Mapping[str, str | Collection[str] | None],
    *,
    replace: bool,
) -> None:
    workspace_id, account_id = account.workspace_id, account.account_id
    rows = queries.list_external_ids(session, workspace_id, [account_id])
    before = {(row.system, row.external_id) for row in rows if replace or row.system in by_system}
    wanted = {(system, each) for system, ids in by_system.items() for each in _as_collection(ids)}
    if before - wanted:
        queries.delete_external_ids(session, workspace_id, account_id, before - wanted)
    for system, external_id in sorted(wanted - before):
        owner_id = queries.put_external_id(session, workspace_id, account_id, system, external_id)
        if owner_id != account_id:
            raise ConflictError(
                f"External id {external_id} of {system} already belongs to account {owner_id}."
                " Remove it from that account first.",
                errors=[
                    FieldError(f"/body/external_ids/{system}", "It belongs to another account.")
                ],
                code="external_id_taken",
            )


def _as_collection(ids: str | Collection[str] | None) -> Collection[str]:
    return [ids] if isinstance(ids, str) else ids or []


def apply_group_calls(
    session: Session, workspace_id: str, rows: Collection[GroupCallLinks]
) -> list[int]:
    """Apply the links of ``group`` calls; return the numbers of events with a rejected link.

    The accounts were written in this transaction, so they are locked. An unknown parent is created.
    The parent that was stated last, by the time of its call, counts.
    """
    rejected: list[int] = []
    _ensure_parents(session, workspace_id, {row.parent_id for row in rows if row.parent_id})
    for row in rows:
        account = queries.get(session, workspace_id, Account, row.account_id, lock=True)
        owners = {
            queries.put_external_id(session, workspace_id, row.account_id, system, external_id)
            for system, external_id in sorted(row.external_ids.items())
        }
        has_parent = _put_parent(session, account, row)
        if not has_parent or owners - {row.account_id}:
            rejected += row.numbers
    return rejected


def _ensure_parents(session: Session, workspace_id: str, parent_ids: Collection[str]) -> None:
    """Create missing parents before the parent lock is taken: its holder must not wait for rows."""
    for parent_id in sorted(parent_ids):
        if ensure_row(session, workspace_id, Account, parent_id):
            mark_due(session, workspace_id, [parent_id])


def _put_parent(session: Session, account: Account, row: GroupCallLinks) -> bool:
    if row.parent_id is None or row.parent_time < _parent_time(account):
        return True
    try:
        if row.parent_id != account.parent_id:
            set_parent(session, account, row.parent_id)
    except (ParentCycleError, ParentTooDeepError):
        return False
    account.field_times = account.field_times | {"parent_id": row.parent_time}
    return True


def _parent_time(account: Account) -> str:
    """Return when the parent was stated. One from an earlier release is as old as the account."""
    times = account.field_times
    return (
        times.get("parent_id")
        or times.get(ANY_FIELD)
        or (times.get(ANY_VALUE, "") if account.parent_id else "")
    )
