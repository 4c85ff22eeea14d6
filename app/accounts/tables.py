from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    LargeBinary,
    Numeric,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import owner


class Account(Table):
    """A customer company: the thing that pays, renews or churns.

    ``rollup``: how the scores of its children and its own become one.
    """

    __tablename__ = "account"
    __table_args__ = (
        Index(
            "account_parent_idx",
            "parent_id",
            "workspace_id",
            "account_id",
            postgresql_where="parent_id IS NOT NULL",
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    segment: Mapped[str | None]
    owner: Mapped[str | None]
    plan: Mapped[str | None]
    industry: Mapped[str | None]
    employees: Mapped[int | None] = mapped_column(BigInteger)
    end_customers: Mapped[int | None] = mapped_column(BigInteger)
    started_on: Mapped[date | None]
    trial_started_on: Mapped[date | None]
    trial_ends_on: Mapped[date | None]
    deleted_on: Mapped[date | None]
    parent_id: Mapped[Key | None]
    rollup: Mapped[Key] = mapped_column(server_default="revenue_weighted")
    traits: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    traits_at: Mapped[Instant | None]
    feature_exceptions: Mapped[dict[str, bool]] = mapped_column(JSONB, server_default="{}")
    excluded: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())


class ExternalId(Table):
    """What another system calls an account. It may have several names there; each names one."""

    __tablename__ = "external_id"
    __table_args__ = (Index(None, "account_id", "workspace_id"),)

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    system: Mapped[Key] = mapped_column(primary_key=True)
    external_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key]


class User(Table):
    """A person in an account, by the id that the product knows them by."""

    __tablename__ = "user"
    __table_args__ = (
        # The account leads, so that no look-up by user mistakes this index for the key's.
        Index(None, "account_id", "workspace_id", "user_id"),
        Index("user_excluded_idx", "workspace_id", "user_id", postgresql_where="excluded"),
    )

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    user_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key | None]
    account_since: Mapped[Instant | None]
    email: Mapped[str | None]
    name: Mapped[str | None]
    role: Mapped[str | None]
    traits: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    traits_at: Mapped[Instant | None]
    excluded: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())


class UserAlias(Table):
    """An anonymous visitor turned out to be a user."""

    __tablename__ = "user_alias"
    __table_args__ = (Index(None, "user_id", "workspace_id"),)

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    anonymous_id: Mapped[Key] = mapped_column(primary_key=True)
    user_id: Mapped[Key]
    known_on: Mapped[date]


class Subscription(Table):
    """One period of one subscription on constant terms, as known since a day.

    Rows are added, not rewritten: of the rows with the same start the newest ``known_on`` counts,
    and one that ends where it starts was withdrawn. ``ends_on`` is the first day without it.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("mrr_cents >= 0", name="mrr"),
        CheckConstraint("ends_on >= starts_on", name="period"),
        CheckConstraint("notice_days >= 0", name="notice"),
    )

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    subscription_id: Mapped[Key] = mapped_column(primary_key=True)
    starts_on: Mapped[date] = mapped_column(primary_key=True)
    known_on: Mapped[date] = mapped_column(primary_key=True)
    ends_on: Mapped[date | None]
    end_reason: Mapped[str | None]
    plan: Mapped[str | None]
    mrr_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    seats: Mapped[int | None] = mapped_column(BigInteger)
    renewal_on: Mapped[date | None]
    notice_days: Mapped[int | None]
    source: Mapped[str]


class Plan(Table):
    """What an account can buy. ``product_features`` empty: every one is included.

    ``price_shares``: product feature to its share of the price, 0-1; those not named share the
    rest by weight. ``limits``: ``users``, ``end_customers`` or a product feature to the most that
    28 days may hold.
    """

    __tablename__ = "plan"

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    key: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    product_features: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    price_shares: Mapped[dict[str, float]] = mapped_column(JSONB, server_default="{}")
    seat_price_cents: Mapped[int | None] = mapped_column(BigInteger)
    limits: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")


class ProductFeature(Table):
    """A feature of the customer's product, used when one of its events happens."""

    __tablename__ = "product_feature"

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    key: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    event_names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    weight: Mapped[float] = mapped_column(server_default="1")
    differentiating: Mapped[bool] = mapped_column(server_default="false")


class ExchangeRate(Table):
    """What one unit of a currency is worth in the base currency, from a day on."""

    __tablename__ = "exchange_rate"
    __table_args__ = (CheckConstraint("rate > 0", name="rate"),)

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    currency: Mapped[Key] = mapped_column(primary_key=True)
    starts_on: Mapped[date] = mapped_column(primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Numeric)


class Due(Table):
    """An account whose score must be computed again. Append-only, so that marking never blocks.

    ``used_since``: if nothing but use has changed, the earliest day of what came; else null.
    """

    __tablename__ = "due"

    priority: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    workspace_id: Mapped[Key]
    account_id: Mapped[Key]
    notify: Mapped[bool]
    used_since: Mapped[date | None]


class ParkedAccount(Table):
    """An account whose refresh fails alone; after three times it waits to be marked due again."""

    __tablename__ = "parked_account"

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    failures: Mapped[int]
    error: Mapped[str]
    failed_at: Mapped[Instant]


class AccountAlias(Table):
    """The old id of an account that was renamed or merged into another."""

    __tablename__ = "account_alias"
    __table_args__ = (Index(None, "workspace_id", "target_id"),)

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    target_id: Mapped[Key]
    known_at: Mapped[Instant]


class Tombstone(Table):
    """An id that was erased, as a keyed hash. The id itself is stored nowhere.

    ``kind``: account; user; anonymous; member, whom only events that name no account are turned
    away for; email, while an erasure looks for what it has to remove.
    """

    __tablename__ = "tombstone"
    __table_args__ = (Index(None, "workspace_id", "erasure_id"),)

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[Key] = mapped_column(primary_key=True)
    erasure_id: Mapped[Key]
    erased_at: Mapped[Instant]
