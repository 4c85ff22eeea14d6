from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from app.billing.service import BillingEventResult
from app.core.schemas import NAMED, Id, RequestModel, ResponseModel

SigningSecret = Annotated[
    str, Field(min_length=12, max_length=200, pattern=r"^whsec_[A-Za-z0-9+/=_-]+$")
]


class BillingSourceIn(RequestModel):
    """How Stripe is read."""

    signing_secret: SigningSecret | None = Field(
        None,
        description="The endpoint's signing secret from Stripe; null: the one that is known.",
        examples=["whsec_Zm9yIGV4YW1wbGU"],
    )
    account_key: Id = Field(
        "account_id",
        description="The metadata key whose value is the account's id.",
        examples=["account_id"],
    )
    plans: Annotated[dict[Id, Id], NAMED] = Field(
        {},
        description="Price id, lookup key, product id or nickname to the key of a plan. What is "
        "not named has its lookup key, else nickname, else product id as plan.",
        examples=[{"price_1MgDX6K4ixBJ8Sii3ZGWncTz": "pro"}],
    )
    seat_prices: list[Id] = Field(
        [],
        max_length=200,
        description="Prices (by any of these names) whose quantity is the number of seats. "
        "Empty: each quantity of more than one.",
        examples=[["pro_seat_monthly"]],
    )


class BillingSourceOut(ResponseModel):
    system: str = Field(examples=["stripe"])
    url: str = Field(
        description="Where Stripe is to send its events: paste it there. It is not guessable.",
        examples=["https://health.example/v1/billing/stripe/bs_3f9QeWZ1kT7xYc0aVb5LmN2r"],
    )
    account_key: str = Field(examples=["account_id"])
    plans: dict[str, str] = Field(examples=[{"price_1MgDX6K4ixBJ8Sii3ZGWncTz": "pro"}])
    seat_prices: list[str] = Field(examples=[["pro_seat_monthly"]])
    created_at: datetime
    changed_at: datetime
    last_event_at: datetime | None = Field(description="To the minute.")


class BillingReceipt(BaseModel):
    """What became of an event. Each of these is success: Stripe need not send it again."""

    received: bool = Field(default=True, examples=[True])
    result: BillingEventResult


class UnmatchedBillingOut(ResponseModel):
    """Something billed that counts for no account, or whose price could not be read."""

    kind: str = Field(description="`customer`, `invoice` or `subscription`.", examples=["customer"])
    object_id: str = Field(examples=["cus_NR5iL0qYnczM7j"])
    customer_id: str = Field(examples=["cus_NR5iL0qYnczM7j"])
    account_id: str | None = Field(examples=[None])
    name: str | None = Field(examples=["Acme Corp"])
    email: str | None = Field(examples=["billing@acme.example"])
    status: str | None = Field(examples=[None])
    reason: str = Field(
        description="`no_account`, `unknown_price`, `unknown_discount` or `too_many_items`.",
        examples=["no_account"],
    )
    first_seen_at: datetime


class InvoiceOut(ResponseModel):
    invoice_id: str = Field(examples=["in_1MgajJK4ixBJ8Siig0L9fVns"])
    account_id: str = Field(examples=["acme"])
    subscription_id: str | None = Field(examples=["sub_1MgajJK4ixBJ8SiiKqXOzN9O"])
    status: str = Field(description="`open`, `paid`, `uncollectible` or `void`.", examples=["open"])
    currency: str = Field(examples=["USD"])
    amount_due_cents: int = Field(
        description="Hundredths of the major unit, whatever the currency.", examples=[120000]
    )
    amount_paid_cents: int = Field(examples=[0])
    attempt_count: int = Field(description="How often payment was tried.", examples=[2])
    failed_at: datetime | None = Field(description="When payment failed last.")
    failure_reason: str | None = Field(examples=["card_declined"])
    due_at: datetime | None
    finalized_at: datetime | None
    paid_at: datetime | None
    next_attempt_at: datetime | None
    created_at: datetime


STRIPE_EVENT_EXAMPLE: dict[str, Any] = {
    "schema": {"type": "object"},
    "example": {
        "id": "evt_1MgajJK4ixBJ8SiiD4xwTb2F",
        "object": "event",
        "type": "customer.subscription.updated",
        "created": 1677619742,
        "data": {"object": {"id": "sub_1MgajJK4ixBJ8SiiKqXOzN9O", "object": "subscription"}},
    },
}
