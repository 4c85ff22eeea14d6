from datetime import date
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Identity, Index, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table


def owner() -> ForeignKey:
    return ForeignKey("workspace.id", ondelete="CASCADE")


class Account(Table):
    """A customer company: the thing that pays, renews or churns."""

    __tablename__ = "account"

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
    traits: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    traits_at: Mapped[Instant | None]
    feature_exceptions: Mapped[dict[str, bool]] = mapped_column(JSONB, server_default="{}")
    excluded: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())


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
    source: Mapped[str]


class Plan(Table):
    """What an account can buy. ``product_features`` empty: every one is included."""

    __tablename__ = "plan"

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    key: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    product_features: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")


class ProductFeature(Table):
    """A feature of the customer's product, used when one of its events happens."""

    __tablename__ = "product_feature"

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    key: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    event_names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    weight: Mapped[float] = mapped_column(server_default="1")
    differentiating: Mapped[bool] = mapped_column(server_default="false")


class Due(Table):
    """An account whose score must be computed again. Append-only, so that marking never blocks."""

    __tablename__ = "due"

    priority: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    workspace_id: Mapped[Key]
    account_id: Mapped[Key]
    notify: Mapped[bool]


class ParkedAccount(Table):
    """An account whose refresh fails alone; after three times it waits to be marked due again."""

    __tablename__ = "parked_account"

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    failures: Mapped[int]
    error: Mapped[str]
    failed_at: Mapped[Instant]
