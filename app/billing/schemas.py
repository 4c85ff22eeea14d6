"""HTTP bodies of billing sources, unmatched objects and invoices."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from app.billing.service import BillingEventResult, IgnoredReason
from app.core.schemas import NO_OTHER_KEYS, Id, RequestModel, ResponseModel

SigningSecret = Annotated[
    str, Field(min_length=12, max_length=200, pattern=r"^whsec_[A-Za-z0-9+/=_-]+$")
]


class BillingSourceIn(RequestModel):
    """The connection to Stripe: its secret, and how its objects map to accounts and plans."""

    signing_secret: SigningSecret | None = Field(
        None,
        description="The signing secret of the endpoint in Stripe. Null: the stored secret stays.",
        examples=["whsec_Zm9yIGV4YW1wbGU"],
    )
    account_key: Id = Field(
        "account_id",
        description="The metadata key in Stripe whose value is the account id.",
        examples=["account_id"],
    )
    plans: Annotated[dict[Id, Id], NO_OTHER_KEYS] = Field(
        {},
        description="Price id, lookup key, product id or nickname to the key of a plan. Without "
        "an entry the plan is the lookup key, else the nickname, else the product id.",
        examples=[{"price_1MgDX6K4ixBJ8Sii3ZGWncTz": "pro"}],
    )
    seat_prices: list[Id] = Field(
        [],
        max_length=200,
        description="Prices, by any of these names, whose quantity is the number of seats. "
        "Empty: every quantity greater than one is a number of seats.",
        examples=[["pro_seat_monthly"]],
    )
    test_mode: bool = Field(
        default=False,
        description="Whether events of Stripe's test mode and sandboxes (`livemode` false) count.",
    )
    connected_accounts: list[Id] = Field(
        [],
        max_length=1000,
        description="Connected accounts (the `account` of an event) whose events count. Events of "
        "other connected accounts are ignored.",
        examples=[["acct_1032D82eZvKYlo2C"]],
    )


class BillingSourceOut(ResponseModel):
    system: str = Field(examples=["stripe"])
    url: str = Field(
        description="The URL to enter in Stripe for its events. It cannot be guessed.",
        examples=["https://health.example/v1/billing/stripe/bs_3f9QeWZ1kT7xYc0aVb5LmN2r"],
    )
    account_key: str = Field(examples=["account_id"])
    plans: dict[str, str] = Field(examples=[{"price_1MgDX6K4ixBJ8Sii3ZGWncTz": "pro"}])
    seat_prices: list[str] = Field(examples=[["pro_seat_monthly"]])
    test_mode: bool
    connected_accounts: list[str] = Field(examples=[["acct_1032D82eZvKYlo2C"]])
    created_at: datetime
    changed_at: datetime
    last_event_at: datetime | None = Field(
        description="When the last event that counts arrived, exact to the minute. Ignored events "
        "do not move it."
    )


class BillingReceipt(ResponseModel):
    """The result of an event. Every result is a success: Stripe need not send it again."""

    received: bool = Field(default=True, examples=[True])
    result: BillingEventResult
    reason: IgnoredReason | None = Field(None, description="Why an event was ignored.")


class UnmatchedBillingOut(ResponseModel):
    """A billed object that belongs to no account, or whose price is unknown."""

    kind: str = Field(description="`customer`, `invoice` or `subscription`.", examples=["customer"])
    object_id: str = Field(examples=["cus_NR5iL0qYnczM7j"])
    customer_id: str = Field(examples=["cus_NR5iL0qYnczM7j"])
    account_id: str | None = Field(examples=[None])
    name: str | None = Field(examples=["Acme Corp"])
    email: str | None = Field(examples=["billing@acme.example"])
    status: str | None = Field(examples=[None])
    reason: str = Field(
        description="Why it is listed: `no_account`, `unknown_price`, `unknown_discount` or "
        "`too_many_items`.",
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
        description="In hundredths of the major unit, for every currency.", examples=[120000]
    )
    amount_paid_cents: int = Field(examples=[0])
    attempt_count: int = Field(description="The number of payment attempts.", examples=[2])
    failed_at: datetime | None = Field(description="When payment last failed.")
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
