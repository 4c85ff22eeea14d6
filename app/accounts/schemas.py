from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, Strict

from app.accounts.hierarchy import Rollup
from app.accounts.subscriptions import Period, Terms
from app.accounts.tables import Account, ExternalId, Subscription
from app.accounts.traits import SYSTEM_PATTERN
from app.core.schemas import (
    NAMED,
    WHOLE_NUMBER,
    Count,
    Currency,
    Day,
    Flag,
    Id,
    JsonObject,
    NoticeDays,
    RequestModel,
    ResponseModel,
    Text,
)

LARGEST_MRR_CENTS = 10**14

Traits = Annotated[
    JsonObject,
    Field(
        description="Anything else that is known; at most 64 KiB and 32 levels.",
        examples=[{"region": "emea", "csat": 4.5}],
    ),
]


SystemName = Annotated[str, Field(pattern=SYSTEM_PATTERN)]
ExternalIds = Annotated[list[Id], Field(min_length=1, max_length=100)]
ParentId = Annotated[
    Id | None,
    Field(description="The account that this one belongs to.", examples=["acme-holding"]),
]


class AccountFields(RequestModel):
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
    parent_id: ParentId = None


class AccountIn(AccountFields):
    """All that is known of an account; what is not named is forgotten."""

    traits: Traits = Field({})
    feature_exceptions: Annotated[dict[Id, Flag], NAMED] = Field(
        {},
        description="Product features that this account has (true) or lacks (false), whatever "
        "its plan says.",
        examples=[{"sso": True}],
    )
    external_ids: Annotated[dict[SystemName, Id | ExternalIds], NAMED] | None = Field(
        None,
        description="What other systems call the account. Null: what is known stays.",
        examples=[{"salesforce": "0015g00000A1b2C", "stripe": "cus_9s6XKzkNRiz8i3"}],
    )
    rollup: Rollup = Field(
        Rollup.REVENUE_WEIGHTED, description="How its score and its children's become one."
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
    external_ids: Annotated[dict[SystemName, Id | ExternalIds | None], NAMED] = Field(
        default_factory=dict,
        description="By system; null removes.",
        examples=[{"salesforce": "0015g00000A1b2C", "hubspot": None}],
    )
    rollup: Rollup = Field(default_factory=lambda: Rollup.REVENUE_WEIGHTED)
    excluded: Flag = Field(default_factory=bool)


class AccountColumns(ResponseModel):
    """What stands in an account's row."""

    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme Corp"])
    segment: str | None = Field(examples=["mid_market"])
    owner: str | None = Field(examples=["Ines Okafor"])
    plan: str | None = Field(examples=["pro"])
    industry: str | None = Field(examples=["retail"])
    employees: int | None = Field(examples=[250])
    end_customers: int | None = Field(examples=[12000])
    started_on: date | None = Field(examples=["2024-05-01"])
    trial_started_on: date | None = Field(examples=["2024-04-17"])
    trial_ends_on: date | None = Field(examples=["2024-05-01"])
    deleted_on: date | None = Field(description="When it was deleted in the product.")
    traits: dict[str, Any] = Field(examples=[{"region": "emea", "csat": 4.5}])
    feature_exceptions: dict[str, bool] = Field(examples=[{"sso": True}])
    parent_id: str | None = Field(examples=["acme-holding"])
    rollup: Rollup
    excluded: bool
    created_at: datetime


class AccountOut(AccountColumns):
    external_ids: dict[str, str | list[str]] = Field(
        description="By system; a list where there are several.",
        examples=[{"salesforce": "0015g00000A1b2C"}],
    )

    @classmethod
    def of(cls, account: Account, external_ids: Iterable[ExternalId]) -> "AccountOut":
        by_system: dict[str, list[str]] = {}
        for each in external_ids:
            by_system.setdefault(each.system, []).append(each.external_id)
        ids = {
            name: several[0] if len(several) == 1 else several
            for name, several in by_system.items()
        }
        return cls.from_row(account, external_ids=ids)


class AccountMrr(BaseModel):
    account_id: str = Field(examples=["acme"])
    on: date
    known_on: date
    mrr_cents: dict[str, int] = Field(
        description="By currency; empty when nothing was paid.", examples=[{"USD": 120000}]
    )


class UserFields(RequestModel):
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


class UserOut(ResponseModel):
    user_id: str = Field(examples=["ada"])
    account_id: str | None = Field(examples=["acme"])
    email: str | None = Field(examples=["ada@acme.example"])
    name: str | None = Field(examples=["Ada Byron"])
    role: str | None = Field(examples=["admin"])
    traits: dict[str, Any] = Field(examples=[{"region": "emea"}])
    excluded: bool
    created_at: datetime


class SubscriptionIn(RequestModel):
    """The terms that hold from a day on."""

    account_id: Id
    plan: Text | None = Field(None, examples=["pro"])
    mrr_cents: Annotated[int, Strict(), Field(ge=0, le=LARGEST_MRR_CENTS), WHOLE_NUMBER] = Field(
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
    notice_days: NoticeDays | None = Field(
        None, description="How long before the renewal day notice must be given.", examples=[30]
    )
    end_reason: Text | None = Field(None, examples=["price"])

    def period(self, *, base_currency: str, today: date) -> Period:
        return Period(
            self.starts_on or today,
            self.ends_on,
            Terms(self.plan, self.mrr_cents, self.currency or base_currency, self.seats),
            self.renewal_on,
            self.end_reason,
            self.notice_days,
        )


class SubscriptionEndIn(RequestModel):
    account_id: Id
    ends_on: Day | None = Field(
        None, description="The first day without it; null: today.", examples=["2026-04-01"]
    )
    reason: Text | None = Field(None, examples=["price"])


class SubscriptionPeriodOut(ResponseModel):
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
    notice_days: int | None = Field(examples=[30])
    source: str = Field(examples=["api"])
    known_on: date = Field(description="The day on which this became known.")


class SubscriptionOut(BaseModel):
    """A subscription's periods as they are known now, in order."""

    account_id: str = Field(examples=["acme"])
    subscription_id: str = Field(examples=["main"])
    periods: list[SubscriptionPeriodOut]

    @classmethod
    def of(
        cls, account_id: str, subscription_id: str, rows: Iterable[Subscription]
    ) -> "SubscriptionOut":
        periods = [SubscriptionPeriodOut.model_validate(row) for row in rows]
        return cls(account_id=account_id, subscription_id=subscription_id, periods=periods)
