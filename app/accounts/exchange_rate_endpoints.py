"""Exchange rates over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.accounts import exchange_rate_queries, exchange_rates
from app.accounts.catalog_schemas import ExchangeRateIn, ExchangeRateOut
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Currency, Day, problem_responses
from app.workspaces.auth import AccountActor, AccountWriter, Reader

router = APIRouter(
    prefix="/api/v1/exchange-rates",
    tags=["catalog"],
    responses=problem_responses(400, 401, 403, 404, 422),
)

CurrencyFilter = Annotated[Currency | None, Query(description="Only those of this currency.")]


@router.put("/{currency}/{starts_on}", responses=problem_responses(409))
def put_exchange_rate(
    *,
    currency: Currency,
    starts_on: Day,
    body: ExchangeRateIn,
    session: SessionDep,
    caller: AccountWriter,
    change: AccountActor,
) -> ExchangeRateOut:
    """Say what a currency is worth from a day on. Every account is scored again.

    A price is converted with the rate of the day on which its period starts: the latest that
    starts on that day or before.
    """
    row = exchange_rates.put(
        session, change, currency, starts_on, body.rate, base_currency=caller.base_currency
    )
    return ExchangeRateOut.model_validate(row)


@router.get("/{currency}/{starts_on}")
def get_exchange_rate(
    currency: Currency, starts_on: Day, session: ReadSessionDep, caller: Reader
) -> ExchangeRateOut:
    """Show what was said for a day."""
    row = exchange_rate_queries.get_rate(session, caller.workspace_id, currency, starts_on)
    return ExchangeRateOut.model_validate(row)


@router.delete("/{currency}/{starts_on}", status_code=204)
def delete_exchange_rate(
    currency: Currency, starts_on: Day, session: SessionDep, change: AccountActor
) -> None:
    """Forget a rate: the one before it holds on. Every account is scored again."""
    exchange_rates.delete(session, change, currency, starts_on)


@router.get("")
def list_exchange_rates(
    session: ReadSessionDep, caller: Reader, paging: PagingDep, currency: CurrencyFilter = None
) -> Page[ExchangeRateOut]:
    """List exchange rates by currency and day."""
    found = exchange_rate_queries.list_rates(
        session, caller.workspace_id, paging, currency=currency
    )
    return found.to_page(ExchangeRateOut.model_validate)
