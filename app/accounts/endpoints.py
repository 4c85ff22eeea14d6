"""HTTP endpoints of accounts, users and subscriptions."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from app.accounts import aliases, queries, service, subscription_queries
from app.accounts.catalog.endpoints import router as catalog_router
from app.accounts.schemas import (
    AccountIn,
    AccountMrr,
    AccountOut,
    AccountPatch,
    NewId,
    SystemName,
    UserIn,
    UserOut,
    UserPatch,
)
from app.accounts.subscription_schemas import (
    SubscriptionEndIn,
    SubscriptionIn,
    SubscriptionOut,
    SubscriptionPeriodOut,
)
from app.accounts.subscription_service import AccountSubscriptions
from app.accounts.tables import Account, User
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.errors import NotFoundError
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page, PagingDep
from app.core.schemas import Day, Id, problem_responses
from app.workspaces.auth import AccountIdFilter, AccountWriter, Caller, Reader
from app.workspaces.idempotency import IdempotentRoute
from app.workspaces.resources import AccountRowListDep, RowsDep

ERRORS = problem_responses(400, 401, 403, 404, 422)
CONFLICT = problem_responses(409)
accounts_router = APIRouter(
    prefix="/api/v1/accounts", tags=["accounts"], responses=ERRORS, route_class=DeclaredRoute
)
users_router = APIRouter(
    prefix="/api/v1/users", tags=["users"], responses=ERRORS, route_class=DeclaredRoute
)
subscriptions_router = APIRouter(
    prefix="/api/v1/subscriptions",
    tags=["subscriptions"],
    responses=ERRORS,
    route_class=IdempotentRoute,
)

OnDay = Annotated[
    Day | None, Query(description="The day to look at. Default: today.", examples=["2026-03-01"])
]
KnownOnDay = Annotated[
    Day | None,
    Query(
        description="Return what was known on this day. Default: today.", examples=["2026-03-01"]
    ),
]


def _account_out(session: Session, account: Account) -> AccountOut:
    ids = queries.list_external_ids(session, account.workspace_id, [account.account_id])
    return AccountOut.of(account, ids)


@accounts_router.put("/{account_id}", responses=CONFLICT, summary="Create or replace an account")
def put_account(
    account_id: NewId, body: AccountIn, session: SessionDep, caller: AccountWriter, now: Now
) -> AccountOut:
    """Create the account, or replace all its fields. Fields that are not sent are reset.

    External ids are the exception: without `external_ids` the existing ones stay. The account is
    scored again in the background.
    """
    account = service.write_account(
        session, caller.workspace_id, account_id, body.model_dump(), replace=True, now=now
    )
    return _account_out(session, account)


@accounts_router.patch("/{account_id}", responses=CONFLICT, summary="Update an account")
def update_account(
    account_id: NewId, body: AccountPatch, session: SessionDep, caller: AccountWriter, now: Now
) -> AccountOut:
    """Change the fields that are sent.

    Traits and feature exceptions are merged by name, external ids by system; null removes one. The
    account is scored again in the background.
    """
    changes = body.model_dump(exclude_unset=True)
    account = service.write_account(
        session, caller.workspace_id, account_id, changes, replace=False, now=now
    )
    return _account_out(session, account)


@accounts_router.get("/{account_id}", summary="Get an account")
def get_account(account_id: Id, session: ReadSessionDep, caller: Reader) -> AccountOut:
    """Return one account with its traits and external ids."""
    account = queries.get_account(session, caller.workspace_id, account_id)
    return _account_out(session, account)


@accounts_router.get(
    "/by-external-id/{system}/{external_id}", summary="Find an account by external id"
)
def find_account_by_external_id(
    system: SystemName, external_id: Id, session: ReadSessionDep, caller: Reader
) -> AccountOut:
    """Return the account that has this id in another system."""
    account_id = queries.find_account_id(session, caller.workspace_id, system, external_id)
    if account_id is None:
        raise NotFoundError(f"account with the {system} id", external_id)
    return _account_out(session, queries.get_account(session, caller.workspace_id, account_id))


@accounts_router.get("/{account_id}/mrr", summary="Get MRR on a day")
def get_account_mrr(
    *,
    account_id: Id,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    on: OnDay = None,
    known_on: KnownOnDay = None,
) -> AccountMrr:
    """Return what the account paid per month on a day, as it was known on `known_on`.

    A contract that is renewed within `HEALTH_RENEWAL_GRACE_DAYS` of its end is paid meanwhile.
    """
    queries.get_account(session, caller.workspace_id, account_id)
    on, known_on = on or now.date(), known_on or now.date()
    cents = subscription_queries.load_mrr_cents(
        session, caller.workspace_id, account_id, on=on, known_on=known_on
    )
    return AccountMrr(account_id=account_id, on=on, known_on=known_on, mrr_cents=cents)


@users_router.put("/{user_id}", summary="Create or replace a user")
def put_user(
    user_id: NewId, body: UserIn, session: SessionDep, caller: AccountWriter, now: Now
) -> UserOut:
    """Create the user, or replace all its fields. Fields that are not sent are reset.

    An unknown account is created. The user's old and new accounts are scored again in the
    background.
    """
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


@users_router.patch("/{user_id}", summary="Update a user")
def update_user(
    user_id: NewId, body: UserPatch, session: SessionDep, caller: AccountWriter, now: Now
) -> UserOut:
    """Change the fields that are sent. Traits are merged by name; null removes one.

    The user's old and new accounts are scored again in the background.
    """
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


@users_router.get("/{user_id}", summary="Get a user")
def get_user(user_id: Id, rows: RowsDep) -> UserOut:
    """Return one user."""
    return rows.get(User, UserOut, user_id)


@users_router.get("", summary="List users")
def list_users(rows: AccountRowListDep) -> Page[UserOut]:
    """Return users ordered by id, one page at a time."""
    return rows.page(User, UserOut)


@subscriptions_router.put(
    "/{subscription_id}", responses=CONFLICT, summary="Set the terms of a subscription"
)
def put_subscription(
    subscription_id: NewId,
    body: SubscriptionIn,
    session: SessionDep,
    caller: AccountWriter,
    now: Now,
) -> SubscriptionOut:
    """Set the terms of a subscription from a day on.

    The period that runs on that day ends there, and the new one ends where a later period starts:
    the order in which periods arrive does not matter. A period with the same `starts_on` is
    replaced. The same terms without `starts_on` change nothing, or move the end and the renewal
    day.
    """
    today = now.date()
    new = body.period(base_currency=caller.base_currency, today=today)
    account = _subscriptions(session, caller, body.account_id, today)
    periods = account.put(subscription_id, new, keeps_start=body.starts_on is not None)
    return SubscriptionOut.of(body.account_id, subscription_id, periods)


@subscriptions_router.post(
    "/{subscription_id}/end", responses=CONFLICT, summary="End a subscription"
)
def end_subscription(
    subscription_id: Id,
    body: SubscriptionEndIn,
    session: SessionDep,
    caller: AccountWriter,
    now: Now,
) -> SubscriptionOut:
    """End a subscription on a day. The same request again changes nothing.

    A subscription that ends earlier already is a conflict.
    """
    today = now.date()
    account = _subscriptions(session, caller, body.account_id, today)
    periods = account.end(subscription_id, on=body.ends_on or today, reason=body.reason)
    return SubscriptionOut.of(body.account_id, subscription_id, periods)


def _subscriptions(
    session: Session, caller: Caller, account_id: str, today: date
) -> AccountSubscriptions:
    account_id = aliases.current_id(session, caller.workspace_id, account_id)
    return AccountSubscriptions(session, caller.workspace_id, account_id, today)


@subscriptions_router.get("", summary="List subscriptions on a day")
def list_subscriptions(
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    account_id: AccountIdFilter = None,
    on: OnDay = None,
    known_on: KnownOnDay = None,
) -> Page[SubscriptionPeriodOut]:
    """Return the subscription periods that cover a day, as they were known on `known_on`.

    They are ordered by account, subscription and start, one page at a time.
    """
    periods = subscription_queries.list_subscriptions(
        session,
        caller.workspace_id,
        paging,
        account_id=account_id,
        on=on or now.date(),
        known_on=known_on or now.date(),
    )
    return periods.to_page(SubscriptionPeriodOut.model_validate)


routers = (accounts_router, users_router, subscriptions_router, catalog_router)
