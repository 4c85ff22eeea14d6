"""What is asked of ids: to erase a person or an account, to rename an account, to merge two.

The request does what is small and makes sure that nothing new comes in under the old id; a worker
does the rest (``running``).
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
from app.lifecycle import account_moves, erasure, statements, table_statements
from app.lifecycle import queries as changes
from app.lifecycle.kinds import ERASURES, IdChangeKind
from app.lifecycle.processing import first_step
from app.lifecycle.steps import execute, remove_in_pages
from app.lifecycle.tables import IdChange
from app.workspaces.service import Actor


class SameAccountError(ConflictError):
    code = "same_account"


class AccountExistsError(ConflictError):
    code = "account_exists"


def erase_user(session: Session, by: Actor, user_id: str) -> IdChange:
    """Let a person become a pseudonym. Asked again, it is the same erasure."""
    workspace_id = by.workspace_id
    known = _erasure_of(session, workspace_id, USER, user_id)
    if known is not None:
        return known
    if not changes.user_exists(session, workspace_id, user_id):
        raise NotFoundError("user", user_id)
    private = {"user_id": user_id, "pseudonym": erasure.new_pseudonym(), "anonymous": {}}
    change = _erasure(session, by, IdChangeKind.ERASE_USER, private)
    erasure.insert_tombstones(session, change, USER, [user_id])
    erasure.pseudonymize_anonymous_ids(session, change)
    _take_user_away(session, change, user_id)
    return change


def _take_user_away(session: Session, change: IdChange, user_id: str) -> None:
    user = session.get(User, (change.workspace_id, user_id), with_for_update=True)
    if user is None:
        return
    if user.email:
        erasure.insert_tombstones(session, change, EMAIL, [user.email])
        erase_person(session, change.workspace_id, user.email)
    values = erasure.user_parameters(change)
    if user.excluded:
        execute(session, statements.INSERT_EXCLUDED_PSEUDONYM, values)
        execute(session, statements.CLEAR_USER, values)
    else:
        session.delete(user)
    session.flush()


def erase_account(session: Session, by: Actor, account_id: str) -> IdChange:
    """Remove an account and all that is its own. Asked again, it is the same erasure."""
    workspace_id = by.workspace_id
    known = _erasure_of(session, workspace_id, ACCOUNT, account_id)
    if known is not None:
        return known
    account_id = aliases.current_id(session, workspace_id, account_id)
    _lock_family(session, workspace_id, account_id)
    account = queries.get(session, workspace_id, Account, account_id, lock=True)
    ids = [account_id, *aliases.old_ids(session, workspace_id, account_id)]
    change = _erasure(session, by, IdChangeKind.ERASE_ACCOUNT, {"ids": ids})
    erasure.insert_tombstones(session, change, ACCOUNT, ids)
    values = erasure.account_parameters(change)
    aliases.delete(session, workspace_id, ids)
    execute(session, statements.DETACH_CHILDREN, values)
    remove_in_pages(table_statements.delete_page(Due))(session, values)
    session.delete(account)
    session.flush()
    return change


def _erasure_of(session: Session, workspace_id: str, kind: str, named: str) -> IdChange | None:
    """Find the erasure under whose tombstone an id lies, were it an old id of the account."""
    erasure_id = tombstones.find_erasure_id(session, workspace_id, kind, named)
    return changes.get_change(session, workspace_id, ERASURES, erasure_id) if erasure_id else None


def _erasure(session: Session, by: Actor, kind: IdChangeKind, private: dict[str, Any]) -> IdChange:
    change = changes.insert_change(
        session, by.workspace_id, kind, by=by, step=first_step(kind), private=private
    )
    by.audit(
        session, "user.erased" if kind is IdChangeKind.ERASE_USER else "account.erased", change.id
    )
    return change


def lift_erasure(session: Session, by: Actor, erasure_id: str) -> IdChange:
    """Let an erased id in again. What was erased does not come back."""
    change = changes.get_change(session, by.workspace_id, ERASURES, erasure_id, lock=True)
    if change.lifted_at is not None:
        return change
    if change.step is not None:
        raise ConflictError(
            "The erasure is not done yet; lift it when it is.", code="erasure_running"
        )
    tombstones.delete(session, by.workspace_id, erasure_id)
    change.lifted_at = by.at
    by.audit(session, "erasure.lifted", erasure_id)
    return change


def rename_account(session: Session, by: Actor, account_id: str, new_id: str) -> IdChange:
    """Give an account another id; the old one leads to it from now on."""
    workspace_id = by.workspace_id
    account_id = aliases.current_id(session, workspace_id, account_id)
    _lock_family(session, workspace_id, account_id)
    account = queries.get(session, workspace_id, Account, account_id, lock=True)
    _check_new_id(session, account, new_id)
    values = _values(account, new_id)
    if session.scalar(table_statements.copy_account(), values) is None:
        raise AccountExistsError(f"There is an account {new_id} already: merge the two instead.")
    tombstones.refuse_erased(session, workspace_id, ACCOUNT, new_id)
    return _move(session, by, IdChangeKind.RENAME, account, new_id)


def _check_new_id(session: Session, account: Account, new_id: str) -> None:
    if new_id == account.account_id:
        raise SameAccountError(f"The account has the id {new_id} already.")
    if new_id.strip().lower() in NOT_IDS:
        raise UnprocessableError(
            "A placeholder such as null or undefined is no id.",
            code="invalid_account_id",
            errors=[FieldError("/body/account_id", "Name an id that is one.")],
        )
    whose = aliases.current_id(session, account.workspace_id, new_id)
    if whose not in (new_id, account.account_id):
        raise AccountExistsError(f"{new_id} is an old id of the account {whose}.")


def merge_accounts(session: Session, by: Actor, account_id: str, into: str) -> IdChange:
    """Let one account be part of another; its id leads to the other from now on."""
    workspace_id = by.workspace_id
    account_id = aliases.current_id(session, workspace_id, account_id)
    into = aliases.current_id(session, workspace_id, into)
    if account_id == into:
        raise SameAccountError("An account cannot be merged into itself.")
    _lock_family(session, workspace_id, account_id, into)
    account = queries.get(session, workspace_id, Account, account_id, lock=True)
    target = queries.get(session, workspace_id, Account, into, lock=True)
    advisory_lock(session, PARENT_LOCK, workspace_id)
    target.parent_id = _parent_after(session, account, target)
    session.flush()
    execute(session, table_statements.merge_account(), _values(account, into))
    return _move(session, by, IdChangeKind.MERGE, account, into)


def _lock_family(session: Session, workspace_id: str, *account_ids: str) -> None:
    session.execute(
        statements.LOCK_HIERARCHY, {"workspace_id": workspace_id, "ids": list(account_ids)}
    )


def _parent_after(session: Session, account: Account, target: Account) -> str | None:
    """Find the parent of what two accounts become; children go along."""
    workspace_id = account.workspace_id
    above = hierarchy_queries.list_ancestors(session, workspace_id, target.account_id)
    if account.account_id in above[2:]:
        raise ParentCycleError(
            f"{target.account_id} belongs to a child of {account.account_id}: merge that one first."
        )
    below = hierarchy_queries.count_levels(session, workspace_id, account.account_id)
    if account.account_id not in above and len(above) + below - 1 > MOST_LEVELS:
        raise ParentTooDeepError(f"A family of accounts has at most {MOST_LEVELS} levels.")
    if target.parent_id not in (None, account.account_id):
        return target.parent_id
    candidate = account.parent_id
    if candidate is None:
        return None
    is_below = target.account_id in hierarchy_queries.list_ancestors(
        session, workspace_id, candidate
    )
    return None if is_below else candidate


def _values(account: Account, target_id: str) -> dict[str, Any]:
    return {
        "workspace_id": account.workspace_id,
        "account_id": account.account_id,
        "target_id": target_id,
    }


def _move(
    session: Session, by: Actor, kind: IdChangeKind, account: Account, target_id: str
) -> IdChange:
    workspace_id, values = account.workspace_id, _values(account, target_id)
    session.expunge(account)
    execute(session, table_statements.DELETE_ACCOUNT, values)
    ids = {"account_id": values["account_id"], "target_id": target_id}
    aliases.put(session, workspace_id, **ids, now=by.at)
    account_moves.move_small_tables(session, kind, values, first=True, now=by.at)
    action = "account.renamed" if kind is IdChangeKind.RENAME else "account.merged"
    by.audit(session, action, target_id, {"account_id": ids["account_id"]})
    return changes.insert_change(session, workspace_id, kind, by=by, step=first_step(kind), **ids)
