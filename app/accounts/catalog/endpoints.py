"""HTTP endpoints of plans, product features and exchange rates."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.accounts.catalog import service as catalog
from app.accounts.catalog.schemas import (
    ExchangeRateIn,
    ExchangeRateOut,
    PlanIn,
    PlanOut,
    ProductFeatureIn,
    ProductFeatureOut,
)
from app.accounts.catalog.tables import ExchangeRate, Plan, ProductFeature
from app.accounts.plan_names.service import check_plan
from app.accounts.schemas import NewId
from app.core.db import ReadSessionDep, SessionDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page
from app.core.schemas import Currency, Day, Id, problem_responses
from app.workspaces.auth import AccountActor, AccountWriter, Reader
from app.workspaces.resources import RowListDep, RowsDep

router = APIRouter(
    prefix="/api/v1",
    tags=["catalog"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=DeclaredRoute,
)

RATE_PATH = "/exchange-rates/{currency}/{starts_on}"
CurrencyFilter = Annotated[
    Currency | None, Query(description="Return only rates of this currency.")
]


@router.put("/plans/{key}", summary="Create or replace a plan")
def put_plan(key: NewId, body: PlanIn, session: SessionDep, actor: AccountActor) -> PlanOut:
    """Create the plan, or replace it. The same body again changes nothing.

    Names of product features that do not exist are refused. While no product feature is
    configured, the events that were received stand in for them. A change is audited, and every
    account is scored again in the background.
    """
    fields = body.model_dump()
    check_plan(session, actor.workspace_id, fields)
    plan, _ = catalog.put(session, actor, Plan, key, fields)
    return PlanOut.model_validate(plan)


@router.get("/plans/{key}", summary="Get a plan")
def get_plan(key: Id, rows: RowsDep) -> PlanOut:
    """Return one plan."""
    return rows.get(Plan, PlanOut, key)


@router.delete("/plans/{key}", status_code=204, summary="Delete a plan")
def delete_plan(key: Id, session: SessionDep, actor: AccountActor) -> None:
    """Delete the plan. Accounts on it are then entitled to every product feature.

    Every account is scored again in the background.
    """
    catalog.delete(session, actor, Plan, key)


@router.get("/plans", summary="List plans")
def list_plans(rows: RowListDep) -> Page[PlanOut]:
    """Return plans ordered by key, one page at a time."""
    return rows.page(Plan, PlanOut)


@router.put("/product-features/{key}", summary="Create or replace a product feature")
def put_product_feature(
    key: NewId, body: ProductFeatureIn, session: SessionDep, actor: AccountActor
) -> ProductFeatureOut:
    """Create the product feature, or replace it. The same body again changes nothing.

    A change is audited, and every account is scored again in the background.
    """
    product_feature, _ = catalog.put(session, actor, ProductFeature, key, body.model_dump())
    return ProductFeatureOut.model_validate(product_feature)


@router.get("/product-features/{key}", summary="Get a product feature")
def get_product_feature(key: Id, rows: RowsDep) -> ProductFeatureOut:
    """Return one product feature."""
    return rows.get(ProductFeature, ProductFeatureOut, key)


@router.delete("/product-features/{key}", status_code=204, summary="Delete a product feature")
def delete_product_feature(key: Id, session: SessionDep, actor: AccountActor) -> None:
    """Delete the product feature. Plans that include it keep their other product features.

    Every account is scored again in the background.
    """
    catalog.delete(session, actor, ProductFeature, key)


@router.get("/product-features", summary="List product features")
def list_product_features(rows: RowListDep) -> Page[ProductFeatureOut]:
    """Return product features ordered by key, one page at a time."""
    return rows.page(ProductFeature, ProductFeatureOut)


@router.put(
    RATE_PATH, responses=problem_responses(409), summary="Create or replace an exchange rate"
)
def put_exchange_rate(
    *,
    currency: Currency,
    starts_on: Day,
    body: ExchangeRateIn,
    session: SessionDep,
    caller: AccountWriter,
    actor: AccountActor,
) -> ExchangeRateOut:
    """Set the value of a currency in the base currency from a day on.

    A price is converted with the latest rate that starts on or before the first day of its
    subscription period. The same rate again changes nothing; a change is audited, and every
    account is scored again in the background.
    """
    row = catalog.put_exchange_rate(
        session, actor, currency, starts_on, body.rate, base_currency=caller.base_currency
    )
    return ExchangeRateOut.model_validate(row)


@router.get(RATE_PATH, summary="Get an exchange rate")
def get_exchange_rate(
    currency: Currency, starts_on: Day, session: ReadSessionDep, caller: Reader
) -> ExchangeRateOut:
    """Return the rate that starts on exactly this day."""
    row = catalog.get_exchange_rate(session, caller.workspace_id, currency, starts_on)
    return ExchangeRateOut.model_validate(row)


@router.delete(RATE_PATH, status_code=204, summary="Delete an exchange rate")
def delete_exchange_rate(
    currency: Currency, starts_on: Day, session: SessionDep, actor: AccountActor
) -> None:
    """Delete the rate. The rate before it stays valid.

    Every account is scored again in the background.
    """
    catalog.delete_exchange_rate(session, actor, currency, starts_on)


@router.get("/exchange-rates", summary="List exchange rates")
def list_exchange_rates(rows: RowListDep, currency: CurrencyFilter = None) -> Page[ExchangeRateOut]:
    """Return exchange rates ordered by currency and day, one page at a time."""
    return rows.page(ExchangeRate, ExchangeRateOut, currency=currency)
