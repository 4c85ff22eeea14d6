from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from app.core.schemas import WHOLE_NUMBER, Day, EventName, Id, RequestModel, ResponseModel, Text
from app.engagement.parse_events import LARGEST_NUMBER, LONGEST_TEXT
from app.engagement.snapshot import GoalStatus

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

Metric = Literal["events", "active_users", "active_days", "reach", "mrr", "trait"]
FeedbackKind = Literal["complaint", "request", "praise"]
FeedbackOutcome = Literal["shipped", "fixed", "answered", "declined"]
RoleName = Literal["champion", "sponsor"]
SurveyKind = Literal["nps", "csat"]
MetricNumber = Annotated[
    float, Strict(), Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER, allow_inf_nan=False)
]
SmallCount = Annotated[int, Strict(), Field(ge=0, le=10_000), WHOLE_NUMBER]
LongText = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")]


def _check_plausible(instant: datetime) -> datetime:
    if not EARLIEST <= instant <= LATEST:
        raise PydanticCustomError("instant", "A time between 1990 and 2100 is wanted.")
    return instant.astimezone(UTC)


PlausibleInstant = Annotated[AwareDatetime, AfterValidator(_check_plausible)]


class MetricFields(RequestModel):
    """A metric of the 28 days up to a day (docs/engagement.md)."""

    metric: Metric = Field(examples=["events"])
    event_names: list[EventName] = Field(
        default_factory=list, max_length=50, examples=[["Message Sent"]]
    )
    trait: Text | None = Field(None, description="Which trait, where that is the metric.")

    @model_validator(mode="after")
    def check_trait(self) -> Self:
        if (self.metric == "trait") != (self.trait is not None):
            raise PydanticCustomError("trait", "A trait is named where the metric is `trait`.")
        return self


class OnboardingStepIn(RequestModel):
    """A step of onboarding. It is done when told so, by one of the events, or by the trait."""

    name: Text | None = Field(None, description="Null: the key.", examples=["Invite the team"])
    position: SmallCount = Field(description="Its place in the order.", examples=[1])
    event_names: list[EventName] = Field(
        default_factory=list, max_length=50, examples=[["Invite Sent"]]
    )
    trait: Text | None = Field(None, description="Done when it is true, a number or a text.")
    target_days: SmallCount | None = Field(None, examples=[7])


class OnboardingStepOut(ResponseModel):
    key: str = Field(examples=["invite"])
    name: str = Field(examples=["Invite the team"])
    position: int = Field(examples=[1])
    event_names: list[str] = Field(examples=[["Invite Sent"]])
    trait: str | None = Field(examples=[None])
    target_days: int | None = Field(examples=[7])


class LoyaltyTierIn(MetricFields):
    name: Text | None = Field(None, description="Null: the key.", examples=["Gold"])
    position: SmallCount = Field(description="Its place on the ladder.", examples=[2])
    threshold: MetricNumber = Field(description="From which value on.", examples=[1000])


class LoyaltyTierOut(ResponseModel):
    key: str = Field(examples=["gold"])
    name: str = Field(examples=["Gold"])
    position: int = Field(examples=[2])
    metric: str = Field(examples=["events"])
    event_names: list[str] = Field(examples=[["Message Sent"]])
    trait: str | None = Field(examples=[None])
    threshold: float = Field(examples=[1000.0])


class TicketIn(RequestModel):
    """What is known of a ticket: the first opening and reply count, and the last closing."""

    account_id: Id
    user_id: Id | None = Field(None, description="Who asks.", examples=["ada"])
    subject: Text | None = Field(None, examples=["Cannot export"])
    priority: Text | None = Field(None, examples=["urgent"])
    channel: Text | None = Field(None, examples=["chat"])
    opened_at: PlausibleInstant | None = Field(None, description="Null: now, if it is new.")
    replied_at: PlausibleInstant | None = None
    closed_at: PlausibleInstant | None = None


class TicketOut(ResponseModel):
    ticket_id: str = Field(examples=["t-17"])
    account_id: str | None = Field(examples=["acme"])
    user_id: str | None = Field(examples=["ada"])
    subject: str | None = Field(examples=["Cannot export"])
    priority: str | None = Field(examples=["urgent"])
    channel: str | None = Field(examples=["chat"])
    opened_at: datetime | None
    replied_at: datetime | None
    closed_at: datetime | None


class SurveyResponseIn(RequestModel):
    account_id: Id
    user_id: Id | None = Field(None, examples=["ada"])
    kind: SurveyKind
    score: MetricNumber = Field(description="NPS: 0 to 10, whole. CSAT: 1 to 5.", examples=[9])
    comment: LongText | None = Field(None, examples=["Saves us hours."])
    ticket_id: Id | None = Field(None, examples=["t-17"])
    at: PlausibleInstant | None = Field(None, description="Null: now.")

    @model_validator(mode="after")
    def check_score(self) -> Self:
        whole = self.score in range(11)
        if not (whole if self.kind == "nps" else 1 <= self.score <= 5):  # noqa: PLR2004
            raise PydanticCustomError("score", "NPS is 0 to 10 in whole numbers, CSAT 1 to 5.")
        return self


class SurveyResponseOut(ResponseModel):
    response_id: str = Field(examples=["r-4"])
    account_id: str = Field(examples=["acme"])
    user_id: str | None = Field(examples=["ada"])
    kind: str = Field(examples=["nps"])
    score: float = Field(examples=[9.0])
    comment: str | None = Field(examples=["Saves us hours."])
    ticket_id: str | None = Field(examples=["t-17"])
    at: datetime
    known_on: date


class FeedbackItemPatch(RequestModel):
    """What is to change; what is left out stays. To close the loop there is ``resolve``."""

    kind: FeedbackKind = Field(default_factory=lambda: "request")
    text: LongText | None = Field(None, examples=["A dark mode, please."])
    topic: Text | None = Field(None, examples=["appearance"])
    product_feature: Id | None = Field(None, examples=["editor"])
    owner: Text | None = Field(None, examples=["Ines Okafor"])
    due_on: Day | None = Field(None, examples=["2026-05-01"])
    status: Literal["open", "planned"] = Field(default_factory=lambda: "open")


class FeedbackItemIn(FeedbackItemPatch):
    account_id: Id
    user_id: Id | None = Field(None, description="Who said it.", examples=["ada"])
    kind: FeedbackKind
    at: PlausibleInstant | None = Field(None, description="Null: now.")


class FeedbackResolution(RequestModel):
    outcome: FeedbackOutcome
    answer: LongText | None = Field(
        None, description="What who asked is told.", examples=["It is out since today."]
    )


class FeedbackItemOut(ResponseModel):
    feedback_id: str = Field(examples=["f-9"])
    account_id: str = Field(examples=["acme"])
    user_id: str | None = Field(examples=["ada"])
    kind: str = Field(examples=["request"])
    text: str | None = Field(examples=["A dark mode, please."])
    topic: str | None = Field(examples=["appearance"])
    product_feature: str | None = Field(examples=["editor"])
    owner: str | None = Field(examples=["Ines Okafor"])
    due_on: date | None
    status: str = Field(
        description="open, planned, or how it was resolved: shipped, fixed, answered, declined.",
        examples=["shipped"],
    )
    answer: str | None = Field(examples=["It is out since today."])
    at: datetime
    known_on: date
    resolved_at: datetime | None
    told_at: datetime | None = Field(description="When who asked was told, by a message.")


class GoalIn(MetricFields):
    """Why an account bought."""

    account_id: Id
    title: Text = Field(examples=["Send 10,000 messages a month"])
    baseline: MetricNumber | None = Field(
        None, description="Null: what it is now.", examples=[2000]
    )
    target: MetricNumber = Field(examples=[10000])
    starts_on: Day | None = Field(None, description="Null: today.")
    due_on: Day = Field(examples=["2026-09-01"])


class GoalPatch(RequestModel):
    title: Text = Field(default_factory=str)
    target: MetricNumber = Field(default_factory=float)
    due_on: Day = Field(default_factory=lambda: date.max)
    closed_on: Day | None = Field(None, description="From when on nobody follows it.")


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
    """A goal with what has become of it."""

    goal_id: str = Field(examples=["g-1"])
    title: str = Field(examples=["Send 10,000 messages a month"])
    metric: str = Field(examples=["events"])
    baseline: float = Field(examples=[2000.0])
    target: float = Field(examples=[10000.0])
    starts_on: date
    due_on: date
    value: float | None = Field(description="Of the last 28 days.", examples=[6400.0])
    share: float | None = Field(
        description="Of the way from the baseline to the target.", examples=[0.55]
    )
    progress: GoalStatus


class IncidentIn(RequestModel):
    title: Text | None = Field(None, examples=["Messages were delayed"])
    declared_at: PlausibleInstant | None = Field(None, description="Null: now, if it is new.")
    ended_at: PlausibleInstant | None = None
    account_ids: list[Id] = Field(
        max_length=10_000, description="All whom it affects.", examples=[["acme"]]
    )
    apology_sent_at: PlausibleInstant | None = Field(
        None, description="When those got an apology who had none yet."
    )


class AffectedAccountOut(ResponseModel):
    account_id: str = Field(examples=["acme"])
    apology_sent_at: datetime | None


class IncidentOut(ResponseModel):
    incident_id: str = Field(examples=["i-3"])
    title: str | None = Field(examples=["Messages were delayed"])
    declared_at: datetime
    ended_at: datetime | None
    accounts: list[AffectedAccountOut]


class UserRolesIn(RequestModel):
    roles: list[RoleName] = Field(max_length=2, examples=[["champion"]])


class UserRolesOut(BaseModel):
    user_id: str = Field(examples=["ada"])
    roles: list[str] = Field(examples=[["champion"]])


class StepProgressOut(ResponseModel):
    key: str = Field(examples=["invite"])
    name: str = Field(examples=["Invite the team"])
    target_days: int | None = Field(examples=[7])
    done_at: datetime | None
    peers_median_days: float | None = Field(examples=[3.5])
    peers: int = Field(description="Of how many accounts that is the median.", examples=[40])


class AccountOnboardingOut(BaseModel):
    account_id: str = Field(examples=["acme"])
    started_on: date | None = Field(description="Null: it has not begun, or there are no steps.")
    current: str | None = Field(description="The first step that is not done.", examples=["invite"])
    days_in_step: int | None = Field(examples=[4])
    done_share: float | None = Field(examples=[0.5])
    steps: list[StepProgressOut]
