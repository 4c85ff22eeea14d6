"""What a workspace has set of its signals. Pure."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.signals.detect import SIGNALS
from app.signals.thresholds import SignalThresholds

EventNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]],
    Field(max_length=50),
]
MilestoneCounts = Annotated[list[Annotated[int, Field(ge=1, le=10**12)]], Field(max_length=20)]


class SignalConfig(BaseModel):
    """``off``: signals that are not looked for. Event names say what happened in the product.

    ``key_actions``: what stands for first value; none: any use of a product feature.
    ``milestone_events``: what is counted from the beginning, and told of at ``milestone_counts``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    thresholds: SignalThresholds = Field(default_factory=SignalThresholds)
    off: list[str] = Field([], max_length=100, examples=[["seats_idle"]])

    key_actions: EventNames = Field([], examples=[["Message Sent"]])
    milestone_events: EventNames = Field([], examples=[["Message Sent"]])
    milestone_counts: MilestoneCounts = [1_000, 10_000, 100_000, 1_000_000]

    @field_validator("off")
    @classmethod
    def check_signal_names(cls, names: list[str]) -> list[str]:
        if unknown := sorted(set(names) - set(SIGNALS)):
            raise ValueError(f"There is no signal {unknown[0]}.")
        return sorted(set(names))
