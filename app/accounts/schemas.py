from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, Strict

from app.accounts.subscriptions import Period, Terms
from app.accounts.tables import Subscription
from app.core.schemas import (
    NAMED,
    WHOLE,
    Body,
    Count,
    Currency,
    Day,
    EventName,
    Flag,
    Id,
    Object,
    Out,
    Text,
)

LARGEST_MRR_CENTS = 10**14

Traits = Annotated[
    Object,
    Field(
        description="Anything else that is known; at most 64 KiB and 32 levels.",
        examples=[{"region": "emea", "csat": 4.5}],
    ),
]


class AccountFields(Body):
    name: Text | None = Field(None, examples=["Acme Corp"])
    segment: Text | None = Field(None, examples=["mid_market"])
    owner: Text | None = Field(
        None, description="Who looks after the account.", examples=["Ines Okafor"]
    )
    plan: Text | None = Field(None, description="The key of a plan.", examples=["pro"])
    industry: Text | None = Field(None, examples=["retail"])
    employees: Count | None = Field(None, examples=[250])
    end_customers: Count | None = Field(
        None, description="How many customers the account itself has.", examples=[12000]
    )
    started_on: Day | None = Field(
        None, description="The first day as a customer.", examples=["2024-05-01"]
    )


class AccountIn(AccountFields):
    """All that is known of an account; what is not named is forgotten."""

    traits: Traits = Field({})
    feature_exceptions: Annotated[dict[Id, Flag], NAMED] = Field(
        {},
        description="Product features that this account has (true) or lacks (false), whatever "
        "its plan says.",
        examples=[{"sso": True}],
    )
    excluded: Flag = Field(
        default=False, description="A test or internal account: no score, on no list."
    )


class AccountPatch(AccountFields):
    """What is to change. Traits and exceptions are merged by name; null removes."""

    traits: Traits = Field(default_factory=dict)
    feature_exceptions: Annotated[dict[Id, Flag | None], NAMED] = Field(
        default_factory=dict, examples=[{"sso": True, "api": None}]
    )
    excluded: Flag = Field(default_factory=bool)


class AccountOut(Out):
    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme Corp"])
    segment: str | None = Field(examples=["mid_market"])
    owner: str | None = Field(examples=["Ines Okafor"])
    plan: str | None = Field(examples=["pro"])
    industry: str | None = Field(examples=["retail"])
    employees: int | None = Field(examples=[250])
    end_customers: int | None = Field(examples=[12000])
    started_on: date | None = Field(examples=["2024-05-01"])
    traits: dict[str, Any] = Field(examples=[{"region": "emea", "csat": 4.5}])
    feature_exceptions: dict[str, bool] = Field(examples=[{"sso": True}])
    excluded: bool
    created_at: datetime


class AccountMrr(BaseModel):
    account_id: str = Field(examples=["acme"])
    on: date
    known_on: date
    mrr_cents: dict[str, int] = Field(
        description="By currency; empty when nothing was paid.", examples=[{"USD": 120000}]
    )


class UserFields(Body):
    account_id: Id | None = Field(None, description="The account that the user belongs to.")
    email: Text | None = Field(None, examples=["ada@acme.example"])
    name: Text | None = Field(None, examples=["Ada Byron"])
    role: Text | None = Field(None, examples=["admin"])
    traits: Traits = Field(default_factory=dict)
    excluded: Flag | None = Field(
        None,
        description="Whether usage is left out of every count. Null: decided by the workspace's "
        "internal domains.",
    )


class UserIn(UserFields):
    """All that is known of a user; what is not named is forgotten."""


class UserPatch(UserFields):
    """What is to change. Traits are merged by name; null removes."""


class UserOut(Out):
    user_id: str = Field(examples=["ada"])
    account_id: str | None = Field(examples=["acme"])
    email: str | None = Field(examples=["ada@acme.example"])
    name: str | None = Field(examples=["Ada Byron"])
    role: str | None = Field(examples=["admin"])
    traits: dict[str, Any] = Field(examples=[{"region": "emea"}])
    excluded: bool
    created_at: datetime


class SubscriptionIn(Body):
    """The terms that hold from a day on."""

    account_id: Id
    plan: Text | None = Field(None, examples=["pro"])
    mrr_cents: Annotated[int, Strict(), Field(ge=0, le=LARGEST_MRR_CENTS), WHOLE] = Field(
        description="A month's price in cents.", examples=[120000]
    )
    currency: Currency | None = Field(
        None, description="Null: the base currency of the workspace.", examples=["USD"]
    )
    seats: Count | None = Field(None, description="Seats bought.", examples=[25])
    starts_on: Day | None = Field(
        None, description="The first day on these terms; null: today.", examples=["2026-01-01"]
    )
    ends_on: Day | None = Field(
        None,
        description="The first day without them. Terms said for that day or later stay.",
        examples=["2027-01-01"],
    )
    renewal_on: Day | None = Field(None, examples=["2027-01-01"])
    end_reason: Text | None = Field(None, examples=["price"])

    def period(self, *, base_currency: str, today: date) -> Period:
        return Period(
            self.starts_on or today,
            self.ends_on,
            Terms(self.plan, self.mrr_cents, self.currency or base_currency, self.seats),
            self.renewal_on,
            self.end_reason,
        )


class SubscriptionEnd(Body):
    account_id: Id
    ends_on: Day | None = Field(
        None, description="The first day without it; null: today.", examples=["2026-04-01"]
    )
    reason: Text | None = Field(None, examples=["price"])


class PeriodOut(Out):
    account_id: str = Field(examples=["acme"])
    subscription_id: str = Field(examples=["main"])
    starts_on: date
    ends_on: date | None = Field(description="The first day without it; null: it runs on.")
    end_reason: str | None
    plan: str | None = Field(examples=["pro"])
    mrr_cents: int = Field(examples=[120000])
    currency: str = Field(examples=["USD"])
    seats: int | None = Field(examples=[25])
    renewal_on: date | None
    source: str = Field(examples=["api"])
    known_on: date = Field(description="The day on which this became known.")


class SubscriptionOut(BaseModel):
    """A subscription's periods as they are known now, in order."""

    account_id: str = Field(examples=["acme"])
    subscription_id: str = Field(examples=["main"])
    periods: list[PeriodOut]

    @classmethod
    def of(
        cls, account_id: str, subscription_id: str, rows: Iterable[Subscription]
    ) -> "SubscriptionOut":
        periods = [PeriodOut.model_validate(row) for row in rows]
        return cls(account_id=account_id, subscription_id=subscription_id, periods=periods)


class PlanIn(Body):
    """What an account can buy."""

    name: Text | None = Field(None, description="Null: the key.", examples=["Pro"])
    product_features: list[Id] = Field(
        [],
        max_length=1000,
        description="Keys of the product features included; empty: every one.",
        examples=[["export", "sso"]],
    )

    def columns(self, key: str) -> dict[str, Any]:
        return {**self.model_dump(), "name": self.name or key}


class PlanOut(Out):
    key: str = Field(examples=["pro"])
    name: str = Field(examples=["Pro"])
    product_features: list[str] = Field(examples=[["export", "sso"]])


class ProductFeatureIn(Body):
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


class ProductFeatureOut(Out):
    key: str = Field(examples=["export"])
    name: str = Field(examples=["Export"])
    event_names: list[str] = Field(examples=[["Report Exported", "CSV Exported"]])
    weight: float = Field(examples=[1.0])
    differentiating: bool
