"""The standards for first replies to tickets: settings of a workspace, with defaults. Pure."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

from app.core.schemas import WHOLE_NUMBER, Text

MINUTE = timedelta(minutes=1)
LONGEST_MINUTES = 365 * 24 * 60

Minutes = Annotated[int, Strict(), Field(ge=1, le=LONGEST_MINUTES), WHOLE_NUMBER]


def _normalize(word: str) -> str:
    return word.strip().lower()


def _normalize_keys(minutes: dict[str, int]) -> dict[str, int]:
    normalized = {_normalize(word): value for word, value in minutes.items()}
    if "" in normalized or len(normalized) < len(minutes):
        raise PydanticCustomError(
            "words", "Names must not be blank, and each may be there once; upper case is the same."
        )
    return normalized


MinutesByWord = Annotated[
    dict[Text, Minutes], Field(max_length=50), AfterValidator(_normalize_keys)
]


class ReplyStandards(BaseModel):
    """Minutes within which the first reply to a ticket is due, around the clock.

    The stricter of the standards of the ticket's channel and priority counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default_minutes: Minutes = Field(
        24 * 60, description="For tickets whose channel and priority both have no standard."
    )
    channels: MinutesByWord = Field(
        default={"chat": 10},
        description="Minutes by the channel of the ticket, in any case.",
        examples=[{"chat": 30, "phone": 15}],
    )
    priorities: MinutesByWord = Field(
        default={"urgent": 120},
        description="Minutes by the priority of the ticket, in any case.",
        examples=[{"urgent": 60, "low": 4320}],
    )

    def minutes(self, channel: str | None, priority: str | None) -> int:
        """Return within how many minutes the first reply is due."""
        of_channel = self.channels.get(_normalize(channel or ""))
        of_priority = self.priorities.get(_normalize(priority or ""))
        named = [each for each in (of_channel, of_priority) if each is not None]
        return min(named, default=self.default_minutes)

    def reply_time(self, channel: str | None, priority: str | None) -> timedelta:
        return self.minutes(channel, priority) * MINUTE
