"""Request the erasure of a user or an account, or the rename or merge of accounts.

The request changes small tables and keeps new data away from the old id (tombstones, aliases); the
worker changes large tables (``processing``).
"""

from typing import Any

from sqlalchemy.orm import Session

from app.accounts import aliases, hierarchy_queries, queries, tombstones
from app.accounts.hierarchy import MOST_LEVELS
from app.accounts.links import PARENT_LOCK, ParentCycleError, ParentTooDeepError
from app.accounts.tables import Account, Due, User
from app.accounts.tombstones import ACCOUNT, EMAIL, USER
from app.accounts.traits import NOT_IDS
from app.billing.queries import erase_person
from app.core.errors import ConflictError, FieldError, NotFoundError, UnprocessableError
from app.core.query_helpers import advisory_lock
from app.core.sql import load_sql
from app.lifecycle import account_moves, erasure
from app.lifecycle import queries as changes
from app.lifecycle.processing import first_step
from app.lifecycle.steps import delete_page, execute, remove_page
from app.lifecycle.tables import ERASURES, IdChange, IdChangeKind
from app.workspaces.service import Actor

SQL = load_sql(__file__)


class SameAccountError(ConflictError):
    code = "same_account"


class AccountExistsError(ConflictError):
    code = "account_exists"


def erase_user(session: Session, actor: Actor, user_id: str) -> IdChange:
    """Start the erasure of a user, or return the existing one. The user's row is deleted now."""
    workspace_id = actor.workspace_id
    existing = _find_erasure(session, workspace_id, USER, user_id)
    if existing is not None:
        return existing
    if not changes.user_exists(session, workspace_id, user_id):
        raise NotFoundError("user", user_id)
    private = {"user_id": user_id, "pseudonym": erasure.new_pseudonym(), "anonymous": {}}
    change = _start_erasure(session, actor, IdChangeKind.ERASE_USER, private)
    erasure.insert_tombstones(session, change, USER, [user_id])
    erasure.pseudonymize_anonymous_ids(session, change)
    _delete_user(session, change, user_id)
    return change


def _delete_user(session: Session, change: IdChange, user_id: str) -> None:
    user = session.get(User, (change.workspace_id, user_id), with_for_update=True)
    if user is None:
        return
    if user.email:
        erasure.insert_tombstones(session, change, EMAIL, [user.email])
        erase_person(session, change.workspace_id, user.email)
    names = [name for name in (user.email, user.name) if name]
    change.private = erasure.private_data(change) | {"names": names}
    values = erasure.user_parameters(change)
    if user.excluded:
        execute(session, SQL.insert_excluded_pseudonym, values)
        execute(session, SQL.clear_user, values)
    else:
        session.delete(user)
    session.flush()


def erase_account(session: Session, actor: Actor, account_id: str) -> IdChange:
    """Start the erasure of an account and all its data, or return the existing one."""
    workspace_id = actor.workspace_id
    existing = _find_erasure(session, workspace_id, ACCOUNT, account_id)
    if existing is not None:
        return existing
    account_id = aliases.current_id(session, workspace_id, account_id)
    _lock_hierarchy(session, workspace_id, account_id)
    account = queries.get(session, workspace_id, Account, account_id, lock=True)
    ids = [account_id, *aliases.old_ids(session, workspace_id, account_id)]
    change = _start_erasure(session, actor, IdChangeKind.ERASE_ACCOUNT, {"ids": ids})
    erasure.insert_tombstones(session, change, ACCOUNT, ids)
    values = erasure.account_parameters(change)
    aliases.delete(session, workspace_id, ids)
    execute(session, erasure.SQL.detach_children, values)
    remove_page(session, delete_page(Due), values)
    session.delete(account)
    session.flush()
    return change


def _find_erasure(session: Session, workspace_id: str, kind: str, id_: str) -> IdChange | None:
    """Return the erasure whose tombstones contain an id; old ids of an account count too."""
    erasure_id = tombstones.find_erasure_id(session, workspace_id, kind, id_)
    return changes.get_change(session, workspace_id, ERASURES, erasure_id) if erasure_id else None


def _start_erasure(
    session: Session, actor: Actor, kind: IdChangeKind, private: dict[str, Any]
) -> IdChange:
    change = changes.insert_change(
        session, actor.workspace_id, kind, actor=actor, step=first_step(kind), private=private
    )
    actor.audit(
        session, "user.erased" if kind is IdChangeKind.ERASE_USER else "account.erased", change.id
    )
    return change


def lift_erasure(session: Session, actor: Actor, erasure_id: str) -> IdChange:
    """Accept an erased id again. Erased data is not restored. Idempotent."""
    change = changes.get_change(session, actor.workspace_id, ERASURES, erasure_id, lock=True)
    if change.lifted_at is not None:
        return change
    if change.step is not None:
        raise ConflictError(
            "The erasure is still running; lift it when its state is `done`.",
            code="erasure_running",
        )
    tombstones.delete(session, actor.workspace_id, erasure_id)
    change.lifted_at = actor.at
    actor.audit(session, "erasure.lifted", erasure_id)
    return change


def rename_account(session: Session, actor: Actor, account_id: str, new_id: str) -> IdChange:
    """Give an account a new id; the old id becomes an alias."""
    workspace_id = actor.workspace_id
    account_id = aliases.current_id(session, workspace_id, account_id)
    _lock_hierarchy(session, workspace_id, account_id)
    account = queries.get(session, workspace_id, Account, account_id, lock=True)
    _check_new_id(session, account, new_id)
    values = _values(account, new_id)
    if session.scalar(account_moves.COPY_ACCOUNT, values) is None:
        raise AccountExistsError(
            f"The account {new_id} exists already; merge the accounts instead."
        )
    tombstones.refuse_erased(session, workspace_id, ACCOUNT, new_id)
    return _move(session, actor, IdChangeKind.RENAME, account, new_id)


def _check_new_id(session: Session, account: Account, new_id: str) -> None:
    if new_id == account.account_id:
        raise SameAccountError(f"The account already has the id {new_id}: choose another id.")
    if new_id.strip().lower() in NOT_IDS:
        raise UnprocessableError(
            "A placeholder such as null or undefined cannot be an account id.",
            code="invalid_account_id",
            errors=[FieldError("/body/account_id", "It is a placeholder: choose another id.")],
        )
    owner_id = aliases.current_id(session, account.workspace_id, new_id)
    if owner_id not in (new_id, account.account_id):
        raise AccountExistsError(
            f"{new_id} is an old id of the account {owner_id}: choose another id."
        )


def merge_accounts(session: Session, actor: Actor, account_id: str, into: str) -> IdChange:
    """Merge an account into another; its id becomes an alias of the other."""
    workspace_id = actor.workspace_id
    account_id = aliases.current_id(session, workspace_id, account_id)
    into = aliases.current_id(session, workspace_id, into)
    if account_id == into:
        raise SameAccountError(f"`into` must be another account: both ids name {into}.")
    both = {"workspace_id": workspace_id, "account_id": account_id, "target_id": into}
    execute(session, account_moves.KEEP_ACCOUNTS, {**both, "day": actor.at.date()})
    _lock_hierarchy(session, workspace_id, account_id, into)
    account = queries.get(session, workspace_id, Account, account_id, lock=True)
    target = queries.get(session, workspace_id, Account, into, lock=True)
    advisory_lock(session, PARENT_LOCK, workspace_id)
    target.parent_id = _parent_after(session, account, target)
    session.flush()
    values = _values(account, into)
    execute(session, account_moves.MERGE_ACCOUNT, values)
    return _move(session, actor, IdChangeKind.MERGE, account, into)


def _lock_hierarchy(session: Session, workspace_id: str, *account_ids: str) -> None:
    values = {"workspace_id": workspace_id, "ids": list(account_ids)}
    session.execute(SQL.lock_hierarchy, values)


def _parent_after(session: Session, account: Account, target: Account) -> str | None:
    """Return the parent of the merged account. Children of both stay below it.

    Raise an error if the hierarchy would have a cycle or too many levels.
    """
    workspace_id = account.workspace_id
    target_ancestors = hierarchy_queries.list_ancestors(session, workspace_id, target.account_id)
    if account.account_id in target_ancestors[2:]:
        child = target_ancestors[target_ancestors.index(account.account_id) - 1]
        raise ParentCycleError(
            f"{target.account_id} is below {child}, a child of {account.account_id}:"
            f" merge {child} into {target.account_id} first."
        )
    levels_below = hierarchy_queries.count_levels(session, workspace_id, account.account_id)
    levels = len(target_ancestors) + levels_below - 1
    if account.account_id not in target_ancestors and levels > MOST_LEVELS:
        raise ParentTooDeepError(
            f"The hierarchy would have {levels} levels; at most {MOST_LEVELS} are allowed."
        )
    if target.parent_id not in (None, account.account_id):
        return target.parent_id
    candidate = account.parent_id
    if candidate is None:
        return None
    is_descendant = target.account_id in hierarchy_queries.list_ancestors(
        session, workspace_id, candidate
    )
    return None if is_descendant else candidate


def _values(account: Account, target_id: str) -> dict[str, Any]:
    return {
        "workspace_id": account.workspace_id,
        "account_id": account.account_id,
        "target_id": target_id,
    }


def _move(
    session: Session, actor: Actor, kind: IdChangeKind, account: Account, target_id: str
) -> IdChange:
    workspace_id, values = account.workspace_id, _values(account, target_id)
    session.expunge(account)
    execute(session, account_moves.SQL.delete_account, values)
    ids = {"account_id": values["account_id"], "target_id": target_id}
    is_merge = kind is IdChangeKind.MERGE
    aliases.put(session, workspace_id, **ids, now=actor.at, is_merge=is_merge)
    account_moves.move_small_tables(session, kind, values, first=True, now=actor.at)
    action = "account.renamed" if kind is IdChangeKind.RENAME else "account.merged"
    actor.audit(session, action, target_id, {"account_id": ids["account_id"]})
    return changes.insert_change(
        session, workspace_id, kind, actor=actor, step=first_step(kind), **ids
    )
