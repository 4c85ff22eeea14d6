"""HTTP endpoints of exchange rates."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.accounts import exchange_rate_queries, exchange_rates
from app.accounts.exchange_rate_schemas import ExchangeRateIn, ExchangeRateOut
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Currency, Day, problem_responses
from app.workspaces.auth import AccountActor, AccountWriter, Reader

router = APIRouter(
    prefix="/api/v1/exchange-rates",
    tags=["catalog"],
    responses=problem_responses(400, 401, 403, 404, 422),
)

CurrencyFilter = Annotated[
    Currency | None, Query(description="Return only rates of this currency.")
]


@router.put(
    "/{currency}/{starts_on}",
    responses=problem_responses(409),
    summary="Create or replace an exchange rate",
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
    row = exchange_rates.put(
        session, actor, currency, starts_on, body.rate, base_currency=caller.base_currency
    )
    return ExchangeRateOut.model_validate(row)


@router.get("/{currency}/{starts_on}", summary="Get an exchange rate")
def get_exchange_rate(
    currency: Currency, starts_on: Day, session: ReadSessionDep, caller: Reader
) -> ExchangeRateOut:
    """Return the rate that starts on exactly this day."""
    row = exchange_rate_queries.get_rate(session, caller.workspace_id, currency, starts_on)
    return ExchangeRateOut.model_validate(row)


@router.delete("/{currency}/{starts_on}", status_code=204, summary="Delete an exchange rate")
def delete_exchange_rate(
    currency: Currency, starts_on: Day, session: SessionDep, actor: AccountActor
) -> None:
    """Delete the rate. The rate before it stays valid.

    Every account is scored again in the background.
    """
    exchange_rates.delete(session, actor, currency, starts_on)


@router.get("", summary="List exchange rates")
def list_exchange_rates(
    session: ReadSessionDep, caller: Reader, paging: PagingDep, currency: CurrencyFilter = None
) -> Page[ExchangeRateOut]:
    """Return exchange rates ordered by currency and day, one page at a time."""
    rates = exchange_rate_queries.list_rates(
        session, caller.workspace_id, paging, currency=currency
    )
    return rates.to_page(ExchangeRateOut.model_validate)
