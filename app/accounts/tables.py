"""Database tables of accounts, users, subscriptions, the catalog and the refresh queue."""

from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Date,
    Double,
    Identity,
    Index,
    LargeBinary,
    Text,
    case,
    cast,
    func,
)
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import WorkspaceTable

Columns = dict[str, ColumnElement[Any]]


class Account(WorkspaceTable):
    """A customer company: it pays, renews or churns.

    ``rollup``: how its score and those of the accounts below it become one (``hierarchy.Rollup``).
    ``traits_at``: when the columns were last written. ``field_times``: when each of them and each
    trait was stated (``traits.field_time``), so that the order in which calls arrive is no matter.
    ``lifecycle_dates``: what B2B events state of trial and deletion, and when each was stated.
    ``excluded_days``: the days on which it was known as excluded; null: all days if ``excluded``.
    ``excluded_on``: the day of the last change of ``excluded`` that counts for all days.
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
    field_times: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    lifecycle_dates: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    feature_exceptions: Mapped[dict[str, bool]] = mapped_column(JSONB, server_default="{}")
    excluded: Mapped[bool] = mapped_column(server_default="false")
    excluded_days: Mapped[Any | None] = mapped_column(DATEMULTIRANGE)
    excluded_on: Mapped[date | None]
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())

    @classmethod
    def note_exclusion(cls, excluded: ColumnElement[bool], today: date) -> Columns:
        """Return the columns to set beside ``excluded``. It counts from today on.

        A change on the day on which the account was created counts for all days.
        """
        changed = cls.excluded.is_distinct_from(excluded)
        is_new = cast(func.timezone("UTC", cls.created_at), Date) >= today
        since_today = func.datemultirange(func.daterange(today, None))
        never, always = cast("{}", DATEMULTIRANGE), cast("{(,)}", DATEMULTIRANGE)
        before = func.coalesce(cls.excluded_days, case((cls.excluded, always), else_=never))
        days = case((excluded, before.op("+")(since_today)), else_=before.op("-")(since_today))
        return {
            "excluded_on": case((changed & is_new, today), else_=cls.excluded_on),
            "excluded_days": case((changed & ~is_new, days), else_=cls.excluded_days),
        }


class AccountBeforeMerge(WorkspaceTable):
    """An account as it was before the merge of the day ``merged_on``, for reports of days before.

    A merge stores one row for each of its two accounts. ``is_source``: it ceased to exist.
    ``is_change``: not a merge, but a change of its segment or start on that day (``past_fields``).
    """

    __tablename__ = "account_before_merge"

    account_id: Mapped[Key] = mapped_column(primary_key=True)
    merged_on: Mapped[date] = mapped_column(primary_key=True)
    is_source: Mapped[bool]
    is_change: Mapped[bool] = mapped_column(server_default="false")
    segment: Mapped[str | None]
    started_on: Mapped[date | None]
    trial_started_on: Mapped[date | None]
    excluded: Mapped[bool] = mapped_column(server_default="false")
    excluded_days: Mapped[Any | None] = mapped_column(DATEMULTIRANGE)
    excluded_on: Mapped[date | None]


class ExternalId(WorkspaceTable):
    """The id of an account in another system. An account may have several, even in one system."""

    __tablename__ = "external_id"
    __table_args__ = (Index(None, "account_id", "workspace_id"),)

    system: Mapped[Key] = mapped_column(primary_key=True)
    external_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key]


class User(WorkspaceTable):
    """A person in an account, by their id in the product.

    ``excluded_on``: the day of the last change of ``excluded``, which counts for all days.
    ``field_times``: as of an account; ``left.`` and a hash of an account: when they left it.
    """

    __tablename__ = "user"
    __table_args__ = (
        # account_id comes first, so that the planner does not use this index to look up a user.
        Index(None, "account_id", "workspace_id", "user_id"),
        Index("user_excluded_idx", "workspace_id", "user_id", postgresql_where="excluded"),
    )

    user_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key | None]
    account_since: Mapped[Instant | None]
    email: Mapped[str | None]
    name: Mapped[str | None]
    role: Mapped[str | None]
    traits: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    traits_at: Mapped[Instant | None]
    field_times: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    excluded: Mapped[bool] = mapped_column(server_default="false")
    excluded_on: Mapped[date | None]
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())

    @classmethod
    def note_exclusion(cls, excluded: ColumnElement[bool], today: date) -> Columns:
        """Return the columns to set beside ``excluded``. It counts for all days."""
        changed = cls.excluded.is_distinct_from(excluded)
        return {"excluded_on": case((changed, today), else_=cls.excluded_on)}


class UserAlias(WorkspaceTable):
    """The anonymous id of a visitor who was later identified as a user."""

    __tablename__ = "user_alias"
    __table_args__ = (Index(None, "user_id", "workspace_id"),)

    anonymous_id: Mapped[Key] = mapped_column(primary_key=True)
    user_id: Mapped[Key]
    known_on: Mapped[date]


class Subscription(WorkspaceTable):
    """One period of one subscription on constant terms, as known from the day ``known_on`` on.

    Rows are added, not rewritten: among rows with the same start the newest ``known_on`` counts. A
    row that ends on the day it starts is withdrawn. ``ends_on`` is the first day after the period.
    ``merged_from``: the accounts that it belonged to before merges, and the day of each merge.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("mrr_cents >= 0", name="mrr"),
        CheckConstraint("ends_on >= starts_on", name="period"),
        CheckConstraint("notice_days >= 0", name="notice"),
        CheckConstraint(
            "billing_period_months > 0 AND term_months > 0 AND discount_share BETWEEN 0 AND 1",
            name="billing",
        ),
    )

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
    billing_period_months: Mapped[int | None]
    term_months: Mapped[int | None]
    auto_renews: Mapped[bool | None]
    discount_share: Mapped[float | None] = mapped_column(Double)
    source: Mapped[str]
    merged_from: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    merged_on: Mapped[list[date]] = mapped_column(ARRAY(Date), server_default="{}")


class PriceStatement(WorkspaceTable):
    """What ``group`` calls and B2B events of one day state about the price of an account.

    ``fields``: name to the time of the newest statement and its value. ``cancelled_at``: the time
    of the newest cancellation, with the first day that is not paid.
    """

    __tablename__ = "price_statement"

    account_id: Mapped[Key] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    fields: Mapped[dict[str, Any]] = mapped_column(JSONB)
    cancelled_at: Mapped[Instant | None]
    ends_on: Mapped[date | None]
    end_reason: Mapped[str | None]


class Due(Table):
    """A mark in the refresh queue: an account must be scored again (``refresh_queue``).

    Rows are only inserted and deleted, so that marking never blocks. ``used_since``: the earliest
    day of new usage if nothing but usage has changed, else null. ``marked_at``: by the clock of the
    database, for metrics.
    """

    __tablename__ = "due"

    priority: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[Key]
    notify: Mapped[bool]
    used_since: Mapped[date | None]
    marked_at: Mapped[Instant] = mapped_column(server_default=func.now())


class ParkedAccount(WorkspaceTable):
    """An account whose refresh failed on its own, with the number of failures.

    After the third failure it is not refreshed until it is marked due again.
    """

    __tablename__ = "parked_account"

    account_id: Mapped[Key] = mapped_column(primary_key=True)
    failures: Mapped[int]
    error: Mapped[str]
    failed_at: Mapped[Instant]


class AccountAlias(WorkspaceTable):
    """The old id of an account that was renamed or merged into another.

    ``merged_as``: the id that its account had when it was merged; null if it was only renamed.
    """

    __tablename__ = "account_alias"
    __table_args__ = (Index(None, "workspace_id", "target_id"),)

    account_id: Mapped[Key] = mapped_column(primary_key=True)
    target_id: Mapped[Key]
    merged_as: Mapped[Key | None]
    known_at: Mapped[Instant]


class Tombstone(WorkspaceTable):
    """An erased id as a keyed hash; the id itself is stored nowhere.

    ``kind`` is ``account``, ``user``, ``anonymous`` (an anonymous id), ``member`` (a user of an
    erased account: only their events without an account are refused) or ``email`` (kept while an
    erasure searches for data to delete).
    """

    __tablename__ = "tombstone"
    __table_args__ = (Index(None, "workspace_id", "erasure_id"),)

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[Key] = mapped_column(primary_key=True)
    erasure_id: Mapped[Key]
    erased_at: Mapped[Instant]
