from datetime import date
from enum import StrEnum

from pydantic import Field

from app.core.schemas import ResponseModel


class PersonStatus(StrEnum):
    """``idle``: not new, without use for 28 days, and before that for less than a week."""

    STOPPED = "stopped"
    NEW = "new"
    ACTIVE = "active"
    IDLE = "idle"


class AccountPerson(ResponseModel):
    """A person of an account and how they use the product."""

    user_id: str = Field(examples=["ada"])
    name: str | None = Field(examples=["Ada Byron"])
    email: str | None = Field(examples=["ada@acme.example"])
    roles: list[str] = Field(
        description="`champion`, `sponsor`: roles in dealings with you.", examples=[["champion"]]
    )
    status: PersonStatus = Field(
        description="`stopped`: no use for 28 days, after use for a week or longer. `new`: joined"
        " in the last 28 days. `active`: used the product in the last 28 days. `idle`: all others."
    )
    joined_on: date = Field(
        description="When they became known in the account, or their first use if it is earlier."
    )
    last_used_on: date | None = Field(description="Null: not within the last 400 days.")
    days_used: int = Field(description="Days with use in the last 28 days.", examples=[12])
