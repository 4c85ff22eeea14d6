import math
from datetime import date
from typing import Annotated, Any, Self

from pydantic import Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from app.accounts.schemas import LARGEST_MRR_CENTS
from app.core.schemas import (
    NAMED,
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

PriceShare = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
Cents = Annotated[int, Strict(), Field(ge=0, le=LARGEST_MRR_CENTS), WHOLE_NUMBER]


class PlanIn(RequestModel):
    """What an account can buy."""

    name: Text | None = Field(None, description="Null: the key.", examples=["Pro"])
    product_features: list[Id] = Field(
        [],
        max_length=1000,
        description="Keys of the product features included; empty: every one.",
        examples=[["export", "sso"]],
    )
    price_shares: Annotated[dict[Id, PriceShare], NAMED] = Field(
        {},
        max_length=1000,
        description="Which share of the price each product feature stands for, 1 at most in all. "
        "Those not named share the rest by weight; with 0 one is free.",
        examples=[{"sso": 0.25}],
    )
    seat_price_cents: Cents | None = Field(
        None,
        description="What a seat costs a month, in the base currency; part of the price.",
        examples=[4900],
    )
    limits: Annotated[dict[Id, Count], NAMED] = Field(
        {},
        max_length=1000,
        description="The most that 28 days may hold: of `users`, of `end_customers`, or of the "
        "events of a product feature.",
        examples=[{"users": 25, "export": 1000}],
    )

    @model_validator(mode="after")
    def check_shares(self) -> Self:
        if math.fsum(self.price_shares.values()) > 1 + ROUNDING_TOLERANCE:
            raise PydanticCustomError("price_shares", "The price shares add up to more than 1.")
        if self.product_features and not self.price_shares.keys() <= {*self.product_features}:
            raise PydanticCustomError(
                "price_shares", "A price share is of a product feature that the plan includes."
            )
        return self

    def columns(self, key: str) -> dict[str, Any]:
        return {**self.model_dump(), "name": self.name or key}


class PlanOut(ResponseModel):
    key: str = Field(examples=["pro"])
    name: str = Field(examples=["Pro"])
    product_features: list[str] = Field(examples=[["export", "sso"]])
    price_shares: dict[str, float] = Field(examples=[{"sso": 0.25}])
    seat_price_cents: int | None = Field(examples=[4900])
    limits: dict[str, int] = Field(examples=[{"users": 25, "export": 1000}])


class ProductFeatureIn(RequestModel):
    """A feature of your product, used when one of its events happens."""

    name: Text | None = Field(None, description="Null: the key.", examples=["Export"])
    event_names: list[EventName] = Field(
        min_length=1, max_length=200, examples=[["Report Exported", "CSV Exported"]]
    )
    weight: Annotated[float, Strict()] = Field(
        1, gt=0, le=1000, allow_inf_nan=False, description="How much it counts for breadth."
    )
    differentiating: Flag = Field(
        default=False, description="Whether it sets your product apart from others."
    )

    def columns(self, key: str) -> dict[str, Any]:
        return {**self.model_dump(), "name": self.name or key}


class ProductFeatureOut(ResponseModel):
    key: str = Field(examples=["export"])
    name: str = Field(examples=["Export"])
    event_names: list[str] = Field(examples=[["Report Exported", "CSV Exported"]])
    weight: float = Field(examples=[1.0])
    differentiating: bool


class ExchangeRateIn(RequestModel):
    """What one unit of a currency is worth in the base currency, from a day on."""

    rate: Annotated[float, Strict()] = Field(
        ge=SMALLEST_RATE, le=LARGEST_RATE, allow_inf_nan=False, examples=[1.0842]
    )


class ExchangeRateOut(ResponseModel):
    currency: str = Field(examples=["EUR"])
    starts_on: date
    rate: float = Field(
        description="Units of the base currency for one unit of this one.", examples=[1.0842]
    )
