"""The daily counts of use. ``known_on`` is the day since which a row is known."""

from datetime import date

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key, Table


class DailyUsage(Table):
    """The number of events of one name by one user of an account on one day.

    ``is_anonymous``: ``user_id`` is an anonymous id, or empty where the event named no user.
    ``quantity`` is the sum of the event property that the workspace measures reach with.
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
    """An end customer whom a user of an account reached on a day.

    ``user_id`` and ``is_anonymous`` as in ``DailyUsage``; rows of earlier versions name no user.
    """

    __tablename__ = "daily_reach"
    __table_args__ = ({"postgresql_partition_by": "RANGE (day)"},)

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    known_on: Mapped[date] = mapped_column(primary_key=True)
    end_customer_id: Mapped[Key] = mapped_column(primary_key=True)
    user_id: Mapped[Key] = mapped_column(primary_key=True, server_default="")
    is_anonymous: Mapped[bool] = mapped_column(primary_key=True, server_default="false")


class FirstUse(Table):
    """The first day of use of an account. A late event adds a row with an earlier day."""

    __tablename__ = "first_use"
    # Its columns are expressions, so that no plan reads it to find one account.
    __table_args__ = (Index("first_use_day_idx", text("(workspace_id || '')"), text("(day + 0)")),)

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    known_on: Mapped[date] = mapped_column(primary_key=True)
    day: Mapped[date]
