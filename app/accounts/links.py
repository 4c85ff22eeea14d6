"""What an account is tied to: its parent, and what other systems call it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol

from sqlalchemy.orm import Session

from app.accounts import aliases, hierarchy_queries, queries
from app.accounts.hierarchy import MOST_LEVELS
from app.accounts.tables import Account
from app.core.errors import ConflictError, FieldError, ProblemError
from app.core.query_helpers import advisory_lock

LINK_FIELDS = frozenset({"parent_id", "external_ids"})
PARENT_LOCK = "parents"
"""Who is whose parent changes in one transaction at a time."""


class ParentCycleError(ConflictError):
    code = "parent_cycle"


class ParentTooDeepError(ConflictError):
    code = "parent_too_deep"


class UnknownParentError(ProblemError):
    status = HTTPStatus.NOT_FOUND
    code = "unknown_parent"


class GroupCallLinks(Protocol):
    """What ``group`` calls say of an account's ties, and which events they are."""

    account_id: str
    said_at: datetime
    parent_id: str | None
    external_ids: dict[str, str]
    numbers: list[int]


def apply_links(
    session: Session, account: Account, said: Mapping[str, Any], *, replace: bool
) -> None:
    """Take what an API call says of an account that is locked.

    External ids go by system: those of a named one are replaced, None removes them. ``replace``:
    those of systems that are not named are removed too, unless ``external_ids`` is None.
    """
    if "parent_id" in said and said["parent_id"] != account.parent_id:
        parent_id = said["parent_id"]
        if parent_id is not None:
            parent_id = aliases.current_id(session, account.workspace_id, parent_id)
        set_parent(session, account, parent_id)
    if said.get("external_ids") is not None:
        _set_external_ids(session, account, said["external_ids"], replace=replace)


def set_parent(session: Session, account: Account, parent_id: str | None) -> None:
    """Put an account under another one, or under none. One writer of a workspace at a time."""
    if parent_id is not None:
        advisory_lock(session, PARENT_LOCK, account.workspace_id)
        _check_parent(session, account, parent_id)
    account.parent_id = parent_id
    session.flush()


def _check_parent(session: Session, account: Account, parent_id: str) -> None:
    if not hierarchy_queries.lock_account_key(session, account.workspace_id, parent_id):
        raise UnknownParentError(
            f"No account {parent_id} in this workspace can be the parent.",
            errors=[FieldError("/body/parent_id", "Name an account that exists.")],
        )
    above = hierarchy_queries.list_ancestors(session, account.workspace_id, parent_id)
    if account.account_id in above:
        raise ParentCycleError(
            f"{parent_id} belongs to {account.account_id}, so that it cannot be its parent."
        )
    below = hierarchy_queries.count_levels(session, account.workspace_id, account.account_id)
    if len(above) + below > MOST_LEVELS:
        raise ParentTooDeepError(f"A family of accounts has at most {MOST_LEVELS} levels.")


def _set_external_ids(
    session: Session,
    account: Account,
    said: Mapping[str, str | Collection[str] | None],
    *,
    replace: bool,
) -> None:
    rows = queries.list_external_ids(session, account.workspace_id, [account.account_id])
    known = {(row.system, row.external_id) for row in rows if replace or row.system in said}
    wanted = {(system, each) for system, ids in said.items() for each in _as_collection(ids)}
    if known - wanted:
        hierarchy_queries.delete_external_ids(
            session, account.workspace_id, account.account_id, known - wanted
        )
    for system, external_id in sorted(wanted - known):
        whose = queries.put_external_id(
            session, account.workspace_id, account.account_id, system, external_id
        )
        if whose != account.account_id:
            raise ConflictError(
                f"{system} {external_id} is the account {whose}.",
                errors=[FieldError(f"/body/external_ids/{system}", "It names another account.")],
                code="external_id_taken",
            )


def _as_collection(ids: str | Collection[str] | None) -> Collection[str]:
    return [ids] if isinstance(ids, str) else ids or []


def apply_group_calls(
    session: Session, workspace_id: str, rows: Collection[GroupCallLinks]
) -> list[int]:
    """Take what ``group`` calls say, where it can be; return the events that were refused in part.

    The accounts were written in this transaction, so that they are locked. A parent that nobody
    has heard of is created. An older call than the newest only fills gaps.
    """
    refused: list[int] = []
    _ensure_parents(session, workspace_id, {row.parent_id for row in rows if row.parent_id})
    for row in rows:
        account = queries.get(session, workspace_id, Account, row.account_id, lock=True)
        whole = [
            _put_external_id(session, account, system, external_id)
            for system, external_id in sorted(row.external_ids.items())
        ]
        whole.append(_put_parent(session, account, row))
        if not all(whole):
            refused += row.numbers
    return refused


def _ensure_parents(session: Session, workspace_id: str, parent_ids: Collection[str]) -> None:
    """Before the lock is taken: whoever holds it waits for nobody."""
    for parent_id in sorted(parent_ids):
        if queries.ensure(session, workspace_id, Account, parent_id):
            queries.mark_due(session, workspace_id, [parent_id])


def _put_external_id(session: Session, account: Account, system: str, external_id: str) -> bool:
    whose = queries.put_external_id(
        session, account.workspace_id, account.account_id, system, external_id
    )
    return whose == account.account_id


def _put_parent(session: Session, account: Account, row: GroupCallLinks) -> bool:
    is_newest = account.traits_at is None or row.said_at >= account.traits_at
    if row.parent_id in (None, account.parent_id) or (account.parent_id and not is_newest):
        return True
    try:
        set_parent(session, account, row.parent_id)
    except (ParentCycleError, ParentTooDeepError):
        return False
    return True
