"""The signal settings of a workspace. Pure."""

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
    """Signal settings: thresholds, signals that are off, and the events of some signals."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    thresholds: SignalThresholds = Field(default_factory=SignalThresholds)
    off: list[str] = Field(
        [],
        description="Names of the signals that are not detected.",
        max_length=100,
        examples=[["seats_idle"]],
    )

    key_actions: EventNames = Field(
        [],
        description="Names of the events that mean first value. Empty: any use of a product "
        "feature.",
        examples=[["Message Sent"]],
    )
    milestone_events: EventNames = Field(
        [],
        description="Names of the events that are counted for milestones, since the first event.",
        examples=[["Message Sent"]],
    )
    milestone_counts: MilestoneCounts = Field(
        [1_000, 10_000, 100_000, 1_000_000],
        description="The numbers of milestone events that open the signal `milestone`.",
    )

    @field_validator("off")
    @classmethod
    def check_signal_names(cls, names: list[str]) -> list[str]:
        if unknown := sorted(set(names) - set(SIGNALS)):
            raise ValueError(f"There is no signal {unknown[0]}. docs/signals.md lists all signals.")
        return sorted(set(names))
