"""HTTP bodies of digests."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict

from app.core.languages import Language
from app.core.schemas import WHOLE_NUMBER, RequestModel, ResponseModel, Text
from app.digests.schedule import zones

Cadence = Literal["daily", "weekly"]


def _check_zone(name: str) -> str:
    if name not in zones():
        raise ValueError("The time zone is unknown: use a name such as Europe/Berlin or UTC.")
    return name


Zone = Annotated[Text, AfterValidator(_check_zone), Field(examples=["Europe/Berlin"])]
Weekday = Annotated[
    int,
    Strict(),
    Field(ge=1, le=7, description="Of a weekly digest: 1 is Monday."),
    WHOLE_NUMBER,
]


class DigestIn(RequestModel):
    """When the owner gets a digest."""

    cadence: Cadence = "daily"
    weekday: Weekday = 1
    at: str = Field(
        "08:00",
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="The time of day in the zone.",
        examples=["08:00"],
    )
    zone: Zone = "UTC"
    language: Language = Language.EN

    def columns(self) -> Mapping[str, Any]:
        """Return the columns of the table; a daily digest has no weekday."""
        return self.model_dump(mode="json") | {
            "weekday": self.weekday if self.cadence == "weekly" else None
        }


class DigestOut(ResponseModel):
    """When the owner gets a digest, and when the next one is due."""

    owner: str = Field(examples=["kim@example.com"])
    cadence: Cadence
    weekday: int | None = Field(description="Null for a daily digest.", examples=[1])
    at: str = Field(examples=["08:00"])
    zone: str = Field(examples=["Europe/Berlin"])
    language: Language
    next_at: datetime
    sent_at: datetime | None = Field(description="When the last one was published.")


class DigestPreview(ResponseModel):
    """What the next digest would be now."""

    quiet: bool = Field(description="Nothing would be sent.")
    text: str = Field(
        description="Empty on a quiet day.",
        examples=["2 accounts need something today.\n- Acme: Nobody has used the product …"],
    )
