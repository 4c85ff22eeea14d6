"""HTTP bodies of the reply standards."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, Strict
from pydantic_core import PydanticCustomError

from app.core.schemas import WHOLE_NUMBER, RequestModel, ResponseModel, Text
from app.engagement.reply_standards.standards import (
    CHANNEL_MINUTES,
    DEFAULT_MINUTES,
    PRIORITY_MINUTES,
    normalize,
)

LONGEST_MINUTES = 365 * 24 * 60

Minutes = Annotated[int, Strict(), Field(ge=1, le=LONGEST_MINUTES), WHOLE_NUMBER]


def _normalize_names(minutes: dict[str, int]) -> dict[str, int]:
    normalized = {normalize(name): value for name, value in minutes.items()}
    if "" in normalized or len(normalized) < len(minutes):
        raise PydanticCustomError(
            "names", "A name must not be blank, and each may be sent once: upper case is the same."
        )
    return normalized


MinutesByName = Annotated[
    dict[Text, Minutes], Field(max_length=50), AfterValidator(_normalize_names)
]


class ReplyStandardsIn(RequestModel):
    """Minutes within which the first reply to a ticket is due, around the clock.

    If both the channel and the priority of the ticket have a standard, the shorter time counts.
    """

    default_minutes: Minutes = Field(
        DEFAULT_MINUTES,
        description="For tickets whose channel and priority both have no standard.",
    )
    channels: MinutesByName = Field(
        default=dict(CHANNEL_MINUTES),
        description="Minutes by the channel of the ticket, in any case.",
        examples=[{"chat": 30, "phone": 15}],
    )
    priorities: MinutesByName = Field(
        default=dict(PRIORITY_MINUTES),
        description="Minutes by the priority of the ticket, in any case.",
        examples=[{"urgent": 60, "low": 4320}],
    )


class ReplyStandardsOut(ResponseModel):
    """The reply standards of the workspace."""

    default_minutes: int = Field(examples=[1440])
    channels: dict[str, int] = Field(examples=[{"chat": 30, "phone": 15}])
    priorities: dict[str, int] = Field(examples=[{"urgent": 60, "low": 4320}])
    changed_at: datetime | None = Field(description="Null where the defaults apply.")
    changed_by: str | None = Field(description="The API key that changed the standards.")
