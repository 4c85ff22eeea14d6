"""HTTP bodies of exchange rates."""

from datetime import date
from typing import Annotated

from pydantic import Field, Strict

from app.core.schemas import RequestModel, ResponseModel

SMALLEST_RATE, LARGEST_RATE = 1e-9, 1e6


class ExchangeRateIn(RequestModel):
    """The value of one unit of a currency in the base currency, from a day on."""

    rate: Annotated[float, Strict()] = Field(
        ge=SMALLEST_RATE,
        le=LARGEST_RATE,
        allow_inf_nan=False,
        description="Units of the base currency for one unit of this currency.",
        examples=[1.0842],
    )


class ExchangeRateOut(ResponseModel):
    currency: str = Field(examples=["EUR"])
    starts_on: date = Field(
        description="The first day of the rate. It is valid until the next one.",
        examples=["2026-01-01"],
    )
    rate: float = Field(
        description="Units of the base currency for one unit of this currency.", examples=[1.0842]
    )
