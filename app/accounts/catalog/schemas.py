"""HTTP bodies of plans, product features and exchange rates."""

import math
from datetime import date
from typing import Annotated, Self

from pydantic import Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from app.accounts.schemas import LARGEST_MRR_CENTS
from app.core.schemas import (
    NO_OTHER_KEYS,
    WHOLE_NUMBER,
    Count,
    EventName,
    Flag,
    Id,
    RequestModel,
    ResponseModel,
    Text,
)

ROUNDING_TOLERANCE = 1e-9
SMALLEST_RATE, LARGEST_RATE = 1e-9, 1e6

DisplayName = Annotated[Text | None, Field(description="Display name. Null: the key is used.")]
PriceShare = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
Cents = Annotated[int, Strict(), Field(ge=0, le=LARGEST_MRR_CENTS), WHOLE_NUMBER]


class PlanIn(RequestModel):
    """A plan that accounts can buy."""

    name: DisplayName = Field(None, examples=["Pro"])
    product_features: list[Id] = Field(
        [],
        max_length=1000,
        description="Keys of the included product features. Empty: all of them.",
        examples=[["export", "sso"]],
    )
    price_shares: Annotated[dict[Id, PriceShare], NO_OTHER_KEYS] = Field(
        {},
        max_length=1000,
        description="Product feature to its share of the plan's price, 0 to 1; the sum is at most "
        "1. Product features without a share split the rest by weight. A share of 0 means free.",
        examples=[{"sso": 0.25}],
    )
    seat_price_cents: Cents | None = Field(
        None,
        description="Price of a seat per month in cents of the base currency. It is part of the "
        "price, not added to it.",
        examples=[4900],
    )
    limits: Annotated[dict[Id, Count], NO_OTHER_KEYS] = Field(
        {},
        max_length=1000,
        description="Limits for 28 days, by `users`, `end_customers` or the key of a product "
        "feature (its events).",
        examples=[{"users": 25, "export": 1000}],
    )

    @model_validator(mode="after")
    def check_shares(self) -> Self:
        if math.fsum(self.price_shares.values()) > 1 + ROUNDING_TOLERANCE:
            raise PydanticCustomError(
                "price_shares", "The sum of price_shares must not be greater than 1."
            )
        if self.product_features and not self.price_shares.keys() <= {*self.product_features}:
            raise PydanticCustomError(
                "price_shares", "Every key of price_shares must be one of product_features."
            )
        return self


class PlanOut(ResponseModel):
    key: str = Field(examples=["pro"])
    name: str = Field(examples=["Pro"])
    product_features: list[str] = Field(examples=[["export", "sso"]])
    price_shares: dict[str, float] = Field(examples=[{"sso": 0.25}])
    seat_price_cents: int | None = Field(examples=[4900])
    limits: dict[str, int] = Field(examples=[{"users": 25, "export": 1000}])


class ProductFeatureIn(RequestModel):
    """A feature of your product. It counts as used when one of its events happens."""

    name: DisplayName = Field(None, examples=["Export"])
    event_names: list[EventName] = Field(
        min_length=1,
        max_length=200,
        description="Names of the events that mean the product feature was used.",
        examples=[["Report Exported", "CSV Exported"]],
    )
    weight: Annotated[float, Strict()] = Field(
        1,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="Weight of the product feature in the breadth of use.",
    )
    differentiating: Flag = Field(
        default=False, description="Whether it sets your product apart from competitors."
    )


class ProductFeatureOut(ResponseModel):
    key: str = Field(examples=["export"])
    name: str = Field(examples=["Export"])
    event_names: list[str] = Field(examples=[["Report Exported", "CSV Exported"]])
    weight: float = Field(examples=[1.0])
    differentiating: bool


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
