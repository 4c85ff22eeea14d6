"""From where on a condition is a signal: settings of a workspace, with defaults. Pure."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Days = Annotated[int, Field(ge=1, le=365)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Points = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Multiple = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class SignalThresholds(BaseModel):
    """All days are whole days; shares are 0 to 1. Each is explained in docs/signals.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dormant_days: Annotated[list[Days], Field(min_length=3, max_length=3)] = [14, 30, 90]
    dormant_gaps: Multiple = 3
    breadth_days: Annotated[int, Field(ge=1, le=90)] = 60
    breadth_share: Share = 0.6
    bought_days: Days = 10
    bought_for_days: Days = 120
    unused_days: Annotated[int, Field(ge=1, le=90)] = 60
    unused_price_share: Share = 0.05
    idle_seats: Count = 3
    idle_seats_share: Share = 0.5
    fall_share: Share = 0.3
    deep_fall_share: Share = 0.4
    fall_noise: Multiple = 1.4
    fall_people: Count = 3
    champion_days: Days = 10
    champion_gaps: Multiple = 4
    champion_event_share: Share = 0.15
    drop_share: Share = 0.5
    drop_noise: Multiple = 3
    drop_events: Count = 5
    value_score: Points = 20
    price_share: Share = 0.08
    terms_days: Days = 90
    notice_days: Annotated[int, Field(ge=0, le=365)] = 30
    notice_ahead_days: Days = 30
    onboarding_for_days: Days = 120
    step_days: Days = 7
    step_times: Multiple = 2
    first_value_days: Days = 7
    first_value_for_days: Annotated[int, Field(ge=1, le=90)] = 90
    late_replies: Annotated[int, Field(ge=1, le=1000)] = 1
    surge_tickets: Count = 3
    surge_times: Multiple = 3
    csat_score: Annotated[float, Field(ge=1, le=5, allow_inf_nan=False)] = 3
    feedback_days: Days = 7
    shipped_days: Days = 30
    milestone_days: Days = 7
    tier_share: Share = 0.9
    referral_score: Points = 70


DEFAULT_THRESHOLDS = SignalThresholds()
