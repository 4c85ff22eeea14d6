"""HTTP bodies of subscriptions."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from pydantic import Field, Strict, model_validator

from app.accounts.schemas import LARGEST_MRR_CENTS, NewId
from app.accounts.subscriptions import Billing, Period, Terms
from app.accounts.tables import Subscription
from app.accounts.traits import parse_cents
from app.core.schemas import (
    WHOLE_NUMBER,
    Count,
    Currency,
    Flag,
    Months,
    NewDay,
    NoticeDays,
    RequestModel,
    ResponseModel,
    Share,
    Text,
)


class BillingFields(RequestModel):
    """How a subscription is billed and renewed."""

    billing_period_months: Months | None = Field(
        None,
        description="How many months an invoice pays for: 1 monthly, 3 quarterly, 12 yearly. Null:"
        " not known.",
        examples=[12],
    )
    term_months: Months | None = Field(
        None,
        description="How many months the customer is bound for. Null: not known.",
        examples=[24],
    )
    auto_renews: Flag | None = Field(
        None,
        description="Whether the subscription renews unless notice is given. Null: not known.",
        examples=[True],
    )
    discount_share: Share | None = Field(
        None,
        description="The share of the list price that is taken off; `mrr_cents` is without it."
        " Null: not known.",
        examples=[0.15],
    )

    def billing(self) -> Billing:
        return Billing(
            self.billing_period_months, self.term_months, self.auto_renews, self.discount_share
        )


class SubscriptionIn(BillingFields):
    """The terms of a subscription from a day on.

    `mrr`, a price in units of the currency as in imports, is read in place of `mrr_cents`.
    """

    account_id: NewId
    plan: Text | None = Field(None, examples=["pro"])
    mrr_cents: Annotated[int, Strict(), Field(ge=0, le=LARGEST_MRR_CENTS), WHOLE_NUMBER] = Field(
        description="Price per month in cents.", examples=[120000]
    )
    currency: Currency | None = Field(
        None, description="Null: the workspace's base currency.", examples=["USD"]
    )
    seats: Count | None = Field(None, description="The number of seats bought.", examples=[25])
    starts_on: NewDay | None = Field(
        None, description="The first day on these terms. Null: today.", examples=["2026-01-01"]
    )
    ends_on: NewDay | None = Field(
        None,
        description="The first day without these terms. Null: no end. Terms that start on that "
        "day or later stay.",
        examples=["2027-01-01"],
    )
    renewal_on: NewDay | None = Field(
        None, description="The day on which the subscription renews.", examples=["2027-01-01"]
    )
    notice_days: NoticeDays | None = Field(
        None,
        description="How many days before the renewal day notice must be given. Null: as the "
        "threshold `notice_days` of the signal settings says.",
        examples=[30],
    )
    end_reason: Text | None = Field(
        None, description="Why the subscription ends.", examples=["price"]
    )

    @model_validator(mode="before")
    @classmethod
    def _read_units(cls, body: Any) -> Any:  # noqa: ANN401 - any JSON
        if not isinstance(body, dict) or "mrr" not in body or "mrr_cents" in body:
            return body
        rest = {name: value for name, value in body.items() if name != "mrr"}
        try:
            return rest | {"mrr_cents": parse_cents(body["mrr"])}
        except (ValueError, TypeError) as error:
            raise ValueError(f"`mrr`: {error}") from None

    def period(self, *, base_currency: str, today: date) -> Period:
        return Period(
            self.starts_on or today,
            self.ends_on,
            Terms(self.plan, self.mrr_cents, self.currency or base_currency, self.seats),
            self.renewal_on,
            self.end_reason,
            self.notice_days,
            self.billing(),
        )


class SubscriptionEndIn(RequestModel):
    account_id: NewId
    ends_on: NewDay | None = Field(
        None,
        description="The first day without the subscription. Null: today.",
        examples=["2026-04-01"],
    )
    reason: Text | None = Field(None, description="Why the subscription ends.", examples=["price"])


class SubscriptionPeriodOut(ResponseModel):
    account_id: str = Field(examples=["acme"])
    subscription_id: str = Field(examples=["main"])
    starts_on: date = Field(description="The first day of the period.", examples=["2026-03-01"])
    ends_on: date | None = Field(
        description="The first day after the period; null: no end.", examples=["2027-03-01"]
    )
    end_reason: str | None = Field(description="Why the subscription ended.", examples=["price"])
    plan: str | None = Field(examples=["pro"])
    mrr_cents: int = Field(examples=[120000])
    currency: str = Field(examples=["USD"])
    seats: int | None = Field(examples=[25])
    renewal_on: date | None = Field(
        description="The day on which the subscription renews.", examples=["2027-03-01"]
    )
    notice_days: int | None = Field(
        description="How many days before the renewal day notice must be given.", examples=[30]
    )
    billing_period_months: int | None = Field(
        description="How many months an invoice pays for.", examples=[12]
    )
    term_months: int | None = Field(
        description="How many months the customer is bound for.", examples=[24]
    )
    auto_renews: bool | None = Field(
        description="Whether the subscription renews unless notice is given.", examples=[True]
    )
    discount_share: float | None = Field(
        description="The share of the list price that is taken off.", examples=[0.15]
    )
    source: str = Field(
        description="Where the terms come from: `api`, `import`, `stripe`, `traits` …",
        examples=["api"],
    )
    known_on: date = Field(
        description="The day on which these terms became known.", examples=["2026-03-01"]
    )


class SubscriptionOut(ResponseModel):
    """The periods of a subscription as they are known now, in order."""

    account_id: str = Field(examples=["acme"])
    subscription_id: str = Field(examples=["main"])
    periods: list[SubscriptionPeriodOut]

    @classmethod
    def of(
        cls, account_id: str, subscription_id: str, rows: Iterable[Subscription]
    ) -> "SubscriptionOut":
        periods = [SubscriptionPeriodOut.model_validate(row) for row in rows]
        return cls(account_id=account_id, subscription_id=subscription_id, periods=periods)
