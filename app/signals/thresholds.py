"""The thresholds of signals: settings of a workspace, with defaults. Pure."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.features.values import NOTICE_DAYS

Days = Annotated[int, Field(ge=1, le=365)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Points = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Multiple = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


def _limit(default: Any, description: str) -> Any:  # noqa: ANN401 - of any field
    return Field(default, description=description)


class SignalThresholds(BaseModel):
    """Thresholds of signals. Days are whole days and shares are 0 to 1; see docs/signals.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    dormant_days: Annotated[list[Days], Field(min_length=3, max_length=3)] = _limit(
        [14, 30, 90], "Days without use after which an account is `dormant`, in three levels."
    )
    dormant_gaps: Multiple = _limit(
        3, "`dormant` needs this many usual gaps between two days of use."
    )
    breadth_days: Annotated[int, Field(ge=1, le=90)] = _limit(
        60, "Days without a newly adopted product feature that open `breadth_stalled`."
    )
    breadth_share: Share = _limit(
        0.6, "`breadth_stalled` needs this share of adopted product features or less."
    )
    bought_days: Days = _limit(
        10, "Days without use that open `paid_feature_unused` for a newly bought feature."
    )
    bought_for_days: Days = _limit(
        120, "Days after an upgrade for which its product features count as newly bought."
    )
    unused_days: Annotated[int, Field(ge=1, le=90)] = _limit(
        60, "Days without use that open `paid_feature_unused` for any other feature."
    )
    unused_price_share: Share = _limit(
        0.05, "`paid_feature_unused` ignores features below this share of the price."
    )
    idle_seats: Count = _limit(3, "`seats_idle` needs at least this many idle seats.")
    idle_seats_share: Share = _limit(0.5, "`seats_idle` needs at least this share of idle seats.")
    fall_share: Share = _limit(
        0.3, "Fall below the usual number that opens `reach_falling` and `depth_falling`."
    )
    deep_fall_share: Share = _limit(
        0.4, "Fall below the usual number that makes their severity medium."
    )
    fall_noise: Multiple = _limit(
        1.4, "They need a fall of this many times the square root of the usual number."
    )
    fall_people: Count = _limit(
        3, "They need at least this usual number of end customers or people."
    )
    champion_days: Days = _limit(
        10, "Days of silence of the champion that open `champion_inactive`."
    )
    champion_gaps: Multiple = _limit(
        4, "`champion_inactive` needs this many usual gaps of the champion."
    )
    champion_event_share: Share = _limit(
        0.15, "Share of all events that makes the most active user the champion."
    )
    drop_share: Share = _limit(
        0.5, "Fall of weekly events below the usual number that opens `usage_drop_vs_self`."
    )
    drop_noise: Multiple = _limit(
        3, "It needs a fall of this many times the square root of the usual number."
    )
    drop_events: Count = _limit(5, "It needs at least this usual number of weekly events.")
    value_score: Points = _limit(20, "Mean score below which `low_value_per_dollar` opens.")
    price_share: Share = _limit(0.08, "Rise of the price that opens `price_rise`.")
    terms_days: Days = _limit(
        90, "Days for which `downgraded` stays open, and after which `price_rise` is less severe."
    )
    notice_days: Annotated[int, Field(ge=0, le=365)] = _limit(
        NOTICE_DAYS, "Days of notice before the renewal where the contract names none."
    )
    notice_ahead_days: Days = _limit(
        30, "Days before the last day of notice on which `renewal_near` opens."
    )
    onboarding_for_days: Days = _limit(
        120, "Days from the start of onboarding after which `onboarding_stuck` is low."
    )
    step_days: Days = _limit(7, "Days that an onboarding step may take where it has no target.")
    step_times: Multiple = _limit(2, "Multiple of the median of its peers that a step may take.")
    first_value_days: Days = _limit(7, "Days after signing up that open `first_value_late`.")
    first_value_for_days: Annotated[int, Field(ge=1, le=90)] = _limit(
        90, "Days after signing up at which `first_value_late` closes."
    )
    late_replies: Annotated[int, Field(ge=1, le=1000)] = _limit(
        1, "Late first replies in 28 days that open `support_slow`."
    )
    surge_tickets: Count = _limit(3, "Tickets in a week that `ticket_surge` needs.")
    surge_times: Multiple = _limit(
        3, "Multiple of the usual number of weekly tickets that opens `ticket_surge`."
    )
    csat_score: Annotated[float, Field(ge=1, le=5, allow_inf_nan=False)] = _limit(
        3, "Mean CSAT answer, 1 to 5, at or below which `csat_low` opens."
    )
    feedback_days: Days = _limit(7, "Days without an answer that open `feedback_unanswered`.")
    goal_share: Share = _limit(
        0.5, "`goal_missing` needs goals at this share of the paying accounts, or more."
    )
    shipped_days: Days = _limit(30, "Days for which `request_shipped` stays open.")
    milestone_days: Days = _limit(7, "Days for which `milestone` stays open.")
    tier_share: Share = _limit(0.9, "Share of the next tier's threshold that opens `tier_near`.")
    referral_score: Points = _limit(70, "Health score that `referral_ready` needs.")


DEFAULT_THRESHOLDS = SignalThresholds()
