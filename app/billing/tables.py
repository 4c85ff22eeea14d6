"""Database tables of billing."""

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key
from app.workspaces.tables import WorkspaceTable

STRIPE = "stripe"
"""The only supported billing system; its name is part of every key."""

SYSTEM = ("workspace_id", "system")


def _partial(name: str, condition: str, *columns: str) -> Index:
    """Return an index of the rows that meet a condition."""
    return Index(name, *columns, postgresql_where=condition)


class BillingSource(WorkspaceTable):
    """A connected billing system. ``source_id`` is part of the URL that receives its events.

    ``encrypted_secret`` is the encrypted signing secret. A source that was connected before secrets
    were encrypted has it as plain text in ``signing_secret`` until its next event. ``test_mode``:
    whether events of Stripe's test mode count. ``connected_accounts``: the connected accounts whose
    events count beside those of Stripe's own account.
    """

    __tablename__ = "billing_source"
    __table_args__ = (Index(None, "source_id", unique=True),)

    system: Mapped[Key] = mapped_column(primary_key=True)
    source_id: Mapped[Key]
    encrypted_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    signing_secret: Mapped[str | None]
    account_key: Mapped[str]
    plans: Mapped[dict[str, str]] = mapped_column(JSONB)
    seat_prices: Mapped[list[str]] = mapped_column(ARRAY(Text))
    test_mode: Mapped[bool] = mapped_column(server_default="false")
    connected_accounts: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    created_at: Mapped[Instant]
    changed_at: Mapped[Instant]
    last_event_at: Mapped[Instant | None]


class BillingEvent(WorkspaceTable):
    """One event: the state of one object at one time. ``data``: the fields that are used.

    The key makes a repeated delivery count once. All events of a customer are replayed into the
    periods of its subscriptions.
    """

    __tablename__ = "billing_event"
    __table_args__ = (
        Index(None, "customer_id", *SYSTEM),
        _partial("billing_event_object_idx", "customer_id IS NULL", "object_id", *SYSTEM),
    )

    system: Mapped[Key] = mapped_column(primary_key=True)
    event_id: Mapped[Key] = mapped_column(primary_key=True)
    kind: Mapped[Key]
    object_id: Mapped[Key]
    customer_id: Mapped[Key | None]
    subscription_id: Mapped[Key | None]
    at: Mapped[Instant]
    rank: Mapped[int]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[Instant]


class BillingCustomer(WorkspaceTable):
    """A paying customer in the billing system. ``account_id`` None: not matched to an account.

    Writers of one customer lock this row. ``needs_reconcile``: the worker must reconcile the
    customer again. ``erased``: its account was erased, so its events are refused.
    """

    __tablename__ = "billing_customer"
    __table_args__ = (
        Index(None, "account_id", "workspace_id"),
        _partial("billing_customer_unmatched_idx", "account_id IS NULL", *SYSTEM, "customer_id"),
        _partial("billing_customer_reconcile_idx", "needs_reconcile", *SYSTEM, "customer_id"),
    )

    system: Mapped[Key] = mapped_column(primary_key=True)
    customer_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key | None]
    name: Mapped[str | None]
    email: Mapped[str | None]
    needs_reconcile: Mapped[bool] = mapped_column(server_default="false")
    erased: Mapped[bool] = mapped_column(server_default="false")
    first_seen_at: Mapped[Instant]


class BillingSubscription(WorkspaceTable):
    """A subscription and its matched account. ``unknown``: why its price is unknown, else null."""

    __tablename__ = "billing_subscription"
    __table_args__ = (
        Index(None, "account_id", "workspace_id"),
        _partial(
            "billing_subscription_amiss_idx",
            "account_id IS NULL OR unknown IS NOT NULL",
            *SYSTEM,
            "subscription_id",
        ),
    )

    system: Mapped[Key] = mapped_column(primary_key=True)
    subscription_id: Mapped[Key] = mapped_column(primary_key=True)
    customer_id: Mapped[Key]
    account_id: Mapped[Key | None]
    status: Mapped[str]
    unknown: Mapped[str | None]
    first_seen_at: Mapped[Instant]


class Invoice(WorkspaceTable):
    """An invoice and its payment status. Amounts are hundredths of the major unit."""

    __tablename__ = "invoice"
    __table_args__ = (
        Index(None, "account_id", "workspace_id", "created_at", "invoice_id"),
        Index(None, "customer_id", *SYSTEM),
        _partial("invoice_unmatched_idx", "account_id IS NULL", *SYSTEM, "invoice_id"),
    )

    system: Mapped[Key] = mapped_column(primary_key=True)
    invoice_id: Mapped[Key] = mapped_column(primary_key=True)
    customer_id: Mapped[Key]
    subscription_id: Mapped[Key | None]
    account_id: Mapped[Key | None]
    status: Mapped[Key]
    currency: Mapped[str]
    amount_due_cents: Mapped[int] = mapped_column(BigInteger)
    amount_paid_cents: Mapped[int] = mapped_column(BigInteger)
    attempt_count: Mapped[int]
    failed_at: Mapped[Instant | None]
    failure_reason: Mapped[str | None]
    due_at: Mapped[Instant | None]
    finalized_at: Mapped[Instant | None]
    paid_at: Mapped[Instant | None]
    next_attempt_at: Mapped[Instant | None]
    created_at: Mapped[Instant]
