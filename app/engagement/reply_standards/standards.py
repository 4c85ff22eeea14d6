"""The standards for first replies to tickets: settings of a workspace, with defaults. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

MINUTE = timedelta(minutes=1)
DEFAULT_MINUTES = 24 * 60
CHANNEL_MINUTES: Mapping[str, int] = {"chat": 10}
PRIORITY_MINUTES: Mapping[str, int] = {"urgent": 120}


def normalize(word: str | None) -> str:
    """Return a channel or priority as the standards name it."""
    return (word or "").strip().lower()


@dataclass(frozen=True, slots=True)
class ReplyStandards:
    """Minutes within which the first reply to a ticket is due, around the clock.

    ``default_minutes``: for tickets whose channel and priority both have no standard. The names of
    channels and priorities are normalized.
    """

    default_minutes: int = DEFAULT_MINUTES
    channels: Mapping[str, int] = field(default_factory=lambda: CHANNEL_MINUTES)
    priorities: Mapping[str, int] = field(default_factory=lambda: PRIORITY_MINUTES)

    def minutes(self, channel: str | None, priority: str | None) -> int:
        """Return within how many minutes the first reply is due; the stricter standard counts."""
        found = (
            self.channels.get(normalize(channel)),
            self.priorities.get(normalize(priority)),
        )
        return min((each for each in found if each is not None), default=self.default_minutes)

    def reply_time(self, channel: str | None, priority: str | None) -> timedelta:
        return self.minutes(channel, priority) * MINUTE
