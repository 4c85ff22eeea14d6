"""HTTP bodies of onboarding, loyalty tiers, goals and user roles."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from app.accounts.catalog.schemas import DisplayName
from app.accounts.schemas import NewId
from app.core.schemas import WHOLE_NUMBER, EventName, NewDay, RequestModel, ResponseModel, Text
from app.engagement.parse_events import LARGEST_NUMBER
from app.engagement.snapshot import GoalStatus

Metric = Literal["events", "active_users", "active_days", "reach", "mrr", "trait"]
RoleName = Literal["champion", "sponsor"]
MetricNumber = Annotated[
    float, Strict(), Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER, allow_inf_nan=False)
]
SmallCount = Annotated[int, Strict(), Field(ge=0, le=10_000), WHOLE_NUMBER]


class MetricFields(RequestModel):
    """A metric over the 28 days up to a day (see docs/engagement.md)."""

    metric: Metric = Field(description="What is counted.", examples=["events"])
    event_names: list[EventName] = Field(
        default_factory=list,
        max_length=50,
        description="Count only these events. Empty: all events.",
        examples=[["Message Sent"]],
    )
    trait: Text | None = Field(
        None, description="The name of the trait, if the metric is `trait`.", examples=[None]
    )

    @model_validator(mode="after")
    def check_trait(self) -> Self:
        if (self.metric == "trait") != (self.trait is not None):
            raise PydanticCustomError(
                "trait", "Send trait if the metric is `trait`, and only then."
            )
        return self


class OnboardingStepIn(RequestModel):
    """A step of onboarding.

    It is done after a semantic event, after one of the events, or if the account has the trait.
    """

    name: DisplayName = Field(None, examples=["Invite the team"])
    position: SmallCount = Field(description="Steps are ordered by it.", examples=[1])
    event_names: list[EventName] = Field(
        default_factory=list,
        max_length=50,
        description="The step is done after one of these events.",
        examples=[["Invite Sent"]],
    )
    trait: Text | None = Field(
        None,
        description="The step is done if the account has this trait (anything but false, 0, `no` "
        "or empty).",
        examples=[None],
    )
    target_days: SmallCount | None = Field(
        None, description="Within how many days the step should be done.", examples=[7]
    )


class OnboardingStepOut(ResponseModel):
    key: str = Field(examples=["invite"])
    name: str = Field(examples=["Invite the team"])
    position: int = Field(examples=[1])
    event_names: list[str] = Field(examples=[["Invite Sent"]])
    trait: str | None = Field(examples=[None])
    target_days: int | None = Field(examples=[7])


class LoyaltyTierIn(MetricFields):
    name: DisplayName = Field(None, examples=["Gold"])
    position: SmallCount = Field(
        description="Tiers are ordered by it, the lowest first.", examples=[2]
    )
    threshold: MetricNumber = Field(
        description="The tier starts at this value of the metric.", examples=[1000]
    )


class LoyaltyTierOut(ResponseModel):
    key: str = Field(examples=["gold"])
    name: str = Field(examples=["Gold"])
    position: int = Field(examples=[2])
    metric: str = Field(examples=["events"])
    event_names: list[str] = Field(examples=[["Message Sent"]])
    trait: str | None = Field(examples=[None])
    threshold: float = Field(examples=[1000.0])


class GoalIn(MetricFields):
    """A goal for which an account bought the product."""

    account_id: NewId
    title: Text = Field(examples=["Send 10,000 messages a month"])
    baseline: MetricNumber | None = Field(
        None, description="Null: the current value of the metric.", examples=[2000]
    )
    target: MetricNumber = Field(examples=[10000])
    starts_on: NewDay | None = Field(
        None, description="Null: today; a goal that exists keeps its start."
    )
    due_on: NewDay = Field(examples=["2026-09-01"])


class GoalPatch(RequestModel):
    title: Text = Field(default_factory=str)
    target: MetricNumber = Field(default_factory=float)
    due_on: NewDay = Field(default_factory=lambda: date.max)
    closed_on: NewDay | None = Field(
        None, description="From this day on the goal is closed.", examples=["2026-03-01"]
    )


class GoalOut(ResponseModel):
    goal_id: str = Field(examples=["g-1"])
    account_id: str = Field(examples=["acme"])
    title: str = Field(examples=["Send 10,000 messages a month"])
    metric: str = Field(examples=["events"])
    event_names: list[str] = Field(examples=[["Message Sent"]])
    trait: str | None = Field(examples=[None])
    baseline: float = Field(examples=[2000.0])
    target: float = Field(examples=[10000.0])
    starts_on: date
    due_on: date
    closed_on: date | None


class GoalProgressOut(ResponseModel):
    """A goal with its progress."""

    goal_id: str = Field(examples=["g-1"])
    title: str = Field(examples=["Send 10,000 messages a month"])
    metric: str = Field(examples=["events"])
    baseline: float = Field(examples=[2000.0])
    target: float = Field(examples=[10000.0])
    starts_on: date
    due_on: date
    value: float | None = Field(description="The metric over the last 28 days.", examples=[6400.0])
    share: float | None = Field(
        description="Share of the way from the baseline to the target.", examples=[0.55]
    )
    progress: GoalStatus
    currency: str | None = Field(
        description="The base currency, if the metric is `mrr`; else null.", examples=[None]
    )


class UserRolesIn(RequestModel):
    roles: list[RoleName] = Field(max_length=2, examples=[["champion"]])


class UserRolesOut(ResponseModel):
    user_id: str = Field(examples=["ada"])
    roles: list[str] = Field(examples=[["champion"]])


class StepProgressOut(ResponseModel):
    key: str = Field(examples=["invite"])
    name: str = Field(examples=["Invite the team"])
    target_days: int | None = Field(examples=[7])
    done_at: datetime | None
    peers_median_days: float | None = Field(examples=[3.5])
    peers: int = Field(description="The number of accounts behind the median.", examples=[40])


class AccountOnboardingOut(ResponseModel):
    account_id: str = Field(examples=["acme"])
    started_on: date | None = Field(
        description="Null: onboarding has not started, or there are no steps."
    )
    current: str | None = Field(
        description="Key of the first step that is not done. Null: all are done.",
        examples=["invite"],
    )
    days_in_step: int | None = Field(examples=[4])
    done_share: float | None = Field(examples=[0.5])
    known_from: date | None = Field(
        None,
        description="The day of the first event that was ever received, if the account is older: "
        "which steps were done before is unknown. Null: all is known.",
    )
    steps: list[StepProgressOut]
