from datetime import date

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key, Table


class DailyUsage(Table):
    """How often one user of an account did one thing on one day, as known since a day.

    ``is_anonymous``: ``user_id`` is an anonymous id, or empty where nobody was named.
    ``quantity`` sums the property that the workspace counts reach by.
    """

    __tablename__ = "daily_usage"
    __table_args__ = ({"postgresql_partition_by": "RANGE (day)"},)

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    known_on: Mapped[date] = mapped_column(primary_key=True)
    user_id: Mapped[Key] = mapped_column(primary_key=True)
    is_anonymous: Mapped[bool] = mapped_column(primary_key=True)
    event_name: Mapped[Key] = mapped_column(primary_key=True)
    events: Mapped[int]
    quantity: Mapped[int] = mapped_column(BigInteger, server_default="0")


class DailyReach(Table):
    """An end customer whom an account reached on a day."""

    __tablename__ = "daily_reach"
    __table_args__ = ({"postgresql_partition_by": "RANGE (day)"},)

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    known_on: Mapped[date] = mapped_column(primary_key=True)
    end_customer_id: Mapped[Key] = mapped_column(primary_key=True)


class FirstUse(Table):
    """The first day of use of an account, as known since a day: a late event can move it back."""

    __tablename__ = "first_use"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    known_on: Mapped[date] = mapped_column(primary_key=True)
    day: Mapped[date]
