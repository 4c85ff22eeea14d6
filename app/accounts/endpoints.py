from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from app.accounts import aliases, queries, service, subscription_queries
from app.accounts.catalog_endpoints import router as catalog_router
from app.accounts.exchange_rate_endpoints import router as rates_router
from app.accounts.schemas import (
    AccountIn,
    AccountMrr,
    AccountOut,
    AccountPatch,
    SubscriptionEndIn,
    SubscriptionIn,
    SubscriptionOut,
    SubscriptionPeriodOut,
    SystemName,
    UserIn,
    UserOut,
    UserPatch,
)
from app.accounts.tables import Account, User
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.errors import NotFoundError
from app.core.pagination import Page, PagingDep
from app.core.schemas import Day, Id, problem_responses
from app.workspaces.auth import AccountWriter, Caller, Reader

accounts_router = APIRouter(prefix="/api/v1", responses=problem_responses(400, 401, 403, 404, 422))

AccountFilter = Annotated[Id | None, Query(description="Only those of this account.")]
OnDay = Annotated[Day | None, Query(description="The day asked about; today if left out.")]
KnownOnDay = Annotated[
    Day | None, Query(description="As it was known on this day; today if left out.")
]


def _current_id(session: Session, caller: Caller, account_id: str | None) -> str | None:
    """Let the old id of an account lead to it where a list is asked for."""
    if account_id is None or not caller.changed_ids.has_aliases:
        return account_id
    return aliases.current_id(session, caller.workspace_id, account_id)


def _account_out(session: Session, account: Account) -> AccountOut:
    ids = queries.list_external_ids(session, account.workspace_id, [account.account_id])
    return AccountOut.of(account, ids)


@accounts_router.put("/accounts/{account_id}", tags=["accounts"], responses=problem_responses(409))
def put_account(
    account_id: Id, body: AccountIn, session: SessionDep, caller: AccountWriter, now: Now
) -> AccountOut:
    """Create an account, or replace all that is known of it."""
    account = service.write_account(
        session, caller.workspace_id, account_id, body.model_dump(), replace=True, now=now
    )
    return _account_out(session, account)


@accounts_router.patch(
    "/accounts/{account_id}", tags=["accounts"], responses=problem_responses(409)
)
def update_account(
    account_id: Id, body: AccountPatch, session: SessionDep, caller: AccountWriter, now: Now
) -> AccountOut:
    """Change what is sent. Traits and feature exceptions are merged by name; null removes."""
    said = body.model_dump(exclude_unset=True)
    account = service.write_account(
        session, caller.workspace_id, account_id, said, replace=False, now=now
    )
    return _account_out(session, account)


@accounts_router.get("/accounts/{account_id}", tags=["accounts"])
def get_account(account_id: Id, session: ReadSessionDep, caller: Reader) -> AccountOut:
    """Show what is known of an account."""
    account = queries.get_account(session, caller.workspace_id, account_id)
    return _account_out(session, account)


@accounts_router.get("/accounts/by-external-id/{system}/{external_id}", tags=["accounts"])
def find_account_by_external_id(
    system: SystemName, external_id: Id, session: ReadSessionDep, caller: Reader
) -> AccountOut:
    """Find an account by what another system calls it."""
    account_id = queries.find_account_id(session, caller.workspace_id, system, external_id)
    if account_id is None:
        raise NotFoundError(f"account that {system} calls", external_id)
    return _account_out(session, queries.get_account(session, caller.workspace_id, account_id))


@accounts_router.get("/accounts/{account_id}/mrr", tags=["accounts"])
def get_account_mrr(
    *,
    account_id: Id,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    on: OnDay = None,
    known_on: KnownOnDay = None,
) -> AccountMrr:
    """Show what an account paid a month on any day, as it was known on any day."""
    queries.get_account(session, caller.workspace_id, account_id)
    on, known_on = on or now.date(), known_on or now.date()
    cents = subscription_queries.load_mrr_cents(
        session, caller.workspace_id, account_id, on=on, known_on=known_on
    )
    return AccountMrr(account_id=account_id, on=on, known_on=known_on, mrr_cents=cents)


@accounts_router.put("/users/{user_id}", tags=["users"])
def put_user(
    user_id: Id, body: UserIn, session: SessionDep, caller: AccountWriter, now: Now
) -> UserOut:
    """Create a user, or replace all that is known of them."""
    user = service.write_user(
        session,
        caller.workspace_id,
        user_id,
        body.model_dump(),
        replace=True,
        internal_domains=caller.internal_domains,
        now=now,
    )
    return UserOut.model_validate(user)


@accounts_router.patch("/users/{user_id}", tags=["users"])
def update_user(
    user_id: Id, body: UserPatch, session: SessionDep, caller: AccountWriter, now: Now
) -> UserOut:
    """Change what is sent. Traits are merged by name; null removes."""
    user = service.write_user(
        session,
        caller.workspace_id,
        user_id,
        body.model_dump(exclude_unset=True),
        replace=False,
        internal_domains=caller.internal_domains,
        now=now,
    )
    return UserOut.model_validate(user)


@accounts_router.get("/users/{user_id}", tags=["users"])
def get_user(user_id: Id, session: ReadSessionDep, caller: Reader) -> UserOut:
    """Show what is known of a user."""
    return UserOut.model_validate(queries.get(session, caller.workspace_id, User, user_id))


@accounts_router.get("/users", tags=["users"])
def list_users(
    session: ReadSessionDep, caller: Reader, paging: PagingDep, account_id: AccountFilter = None
) -> Page[UserOut]:
    """List users by id."""
    account_id = _current_id(session, caller, account_id)
    found = queries.list_users(session, caller.workspace_id, paging, account_id=account_id)
    return found.to_page(UserOut.model_validate)


@accounts_router.put(
    "/subscriptions/{subscription_id}", tags=["subscriptions"], responses=problem_responses(409)
)
def put_subscription(
    subscription_id: Id, body: SubscriptionIn, session: SessionDep, caller: AccountWriter, now: Now
) -> SubscriptionOut:
    """Say which terms hold from a day on.

    What runs on that day ends there, and what was to begin before the new end is withdrawn. The
    same terms again change nothing, or move the end and the renewal day.
    """
    periods = service.put_subscription(
        session,
        caller.workspace_id,
        body.account_id,
        subscription_id,
        body.period(base_currency=caller.base_currency, today=now.date()),
        known_on=now.date(),
    )
    return SubscriptionOut.of(body.account_id, subscription_id, periods)


@accounts_router.post(
    "/subscriptions/{subscription_id}/end", tags=["subscriptions"], responses=problem_responses(409)
)
def end_subscription(
    subscription_id: Id,
    body: SubscriptionEndIn,
    session: SessionDep,
    caller: AccountWriter,
    now: Now,
) -> SubscriptionOut:
    """Say from which day on nothing is paid. Saying it twice is the same as once."""
    periods = service.end_subscription(
        session,
        caller.workspace_id,
        body.account_id,
        subscription_id,
        on=body.ends_on or now.date(),
        reason=body.reason,
        known_on=now.date(),
    )
    return SubscriptionOut.of(body.account_id, subscription_id, periods)


@accounts_router.get("/subscriptions", tags=["subscriptions"])
def list_subscriptions(
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    account_id: AccountFilter = None,
    on: OnDay = None,
    known_on: KnownOnDay = None,
) -> Page[SubscriptionPeriodOut]:
    """List what is paid on a day, as it was known on another, by account and subscription."""
    found = subscription_queries.list_subscriptions(
        session,
        caller.workspace_id,
        paging,
        account_id=_current_id(session, caller, account_id),
        on=on or now.date(),
        known_on=known_on or now.date(),
    )
    return found.to_page(SubscriptionPeriodOut.model_validate)


router = APIRouter()
router.include_router(accounts_router)
router.include_router(catalog_router)
router.include_router(rates_router)
