"""Database tables of plans, product features and exchange rates."""

from datetime import date
from decimal import Decimal

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key
from app.workspaces.tables import WorkspaceTable


class Plan(WorkspaceTable):
    """A plan that accounts can buy. ``product_features`` empty: every one is included.

    ``price_shares``: product feature to its share of the price, 0-1; product features without a
    share split the rest by weight. ``limits``: ``users``, ``end_customers`` or a product feature to
    its limit for 28 days.
    """

    __tablename__ = "plan"

    key: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    product_features: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    price_shares: Mapped[dict[str, float]] = mapped_column(JSONB, server_default="{}")
    seat_price_cents: Mapped[int | None] = mapped_column(BigInteger)
    limits: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")


class ProductFeature(WorkspaceTable):
    """A feature of the customer's product. It is used when one of its events happens."""

    __tablename__ = "product_feature"

    key: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    event_names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    weight: Mapped[float] = mapped_column(server_default="1")
    differentiating: Mapped[bool] = mapped_column(server_default="false")


class ExchangeRate(WorkspaceTable):
    """The value of one unit of a currency in the base currency, from a day on."""

    __tablename__ = "exchange_rate"
    __table_args__ = (CheckConstraint("rate > 0", name="rate"),)

    currency: Mapped[Key] = mapped_column(primary_key=True)
    starts_on: Mapped[date] = mapped_column(primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Numeric)
