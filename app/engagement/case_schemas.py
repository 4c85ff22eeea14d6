"""HTTP bodies of tickets, survey responses, feedback and incidents."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator
from pydantic_core import PydanticCustomError

from app.accounts.schemas import NewId
from app.core.schemas import Id, NewDay, RequestModel, ResponseModel, Text
from app.engagement.parse_events import LONGEST_TEXT
from app.engagement.schemas import MetricNumber

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

FeedbackKind = Literal["complaint", "request", "praise"]
FeedbackOutcome = Literal["shipped", "fixed", "answered", "declined"]
SurveyKind = Literal["nps", "csat"]
LongText = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")]


def _check_plausible(instant: datetime) -> datetime:
    if not EARLIEST <= instant <= LATEST:
        raise PydanticCustomError("instant", "The time must be between 1990 and 2100.")
    return instant.astimezone(UTC)


PlausibleInstant = Annotated[AwareDatetime, AfterValidator(_check_plausible)]


class TicketIn(RequestModel):
    """Fields of a ticket. The earliest opening and reply count, and the latest closing."""

    account_id: NewId
    user_id: NewId | None = Field(None, description="The user who opened it.", examples=["ada"])
    subject: Text | None = Field(None, examples=["Cannot export"])
    priority: Text | None = Field(None, examples=["urgent"])
    channel: Text | None = Field(None, examples=["chat"])
    opened_at: PlausibleInstant | None = Field(None, description="Null: now, if the ticket is new.")
    replied_at: PlausibleInstant | None = Field(None, description="Time of the first reply.")
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
    reply_due_at: datetime | None = Field(
        description="When the first reply is due by the reply standards. Null if the ticket has a "
        "reply or was closed."
    )


class SurveyResponseIn(RequestModel):
    account_id: NewId
    user_id: NewId | None = Field(None, examples=["ada"])
    kind: SurveyKind
    score: MetricNumber = Field(
        description="NPS: a whole number from 0 to 10. CSAT: a number from 1 to 5.", examples=[9]
    )
    comment: LongText | None = Field(None, examples=["Saves us hours."])
    ticket_id: NewId | None = Field(None, examples=["t-17"])
    at: PlausibleInstant | None = Field(
        None, description="Null: now; the same answer again keeps its time."
    )

    @model_validator(mode="after")
    def check_score(self) -> Self:
        whole = self.score in range(11)
        if not (whole if self.kind == "nps" else 1 <= self.score <= 5):  # noqa: PLR2004
            raise PydanticCustomError(
                "score",
                "score must be a whole number from 0 to 10 for nps, a number from 1 to 5 for csat.",
            )
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
    known_on: date = Field(description="The day from which this state is known.")


class FeedbackItemPatch(RequestModel):
    """The fields to change. To set the outcome, use the `resolve` endpoint."""

    kind: FeedbackKind = Field(default_factory=lambda: "request")
    text: LongText | None = Field(None, examples=["A dark mode, please."])
    topic: Text | None = Field(None, examples=["appearance"])
    product_feature: Id | None = Field(None, examples=["editor"])
    owner: Text | None = Field(None, examples=["Ines Okafor"])
    due_on: NewDay | None = Field(None, examples=["2026-05-01"])
    status: Literal["open", "planned"] = Field(default_factory=lambda: "open")


class FeedbackItemIn(FeedbackItemPatch):
    """All fields of a feedback item."""

    account_id: NewId
    user_id: NewId | None = Field(
        None, description="The user who gave the feedback.", examples=["ada"]
    )
    kind: FeedbackKind
    at: PlausibleInstant | None = Field(
        None, description="Null: now; an item that exists keeps its time."
    )


class FeedbackResolution(RequestModel):
    outcome: FeedbackOutcome
    answer: LongText | None = Field(
        None,
        description="The answer to the user who gave the feedback.",
        examples=["It was released today."],
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
        description="`open`, `planned`, or the outcome: `shipped`, `fixed`, `answered`, "
        "`declined`.",
        examples=["shipped"],
    )
    answer: str | None = Field(examples=["It was released today."])
    at: datetime
    known_on: date = Field(description="The day from which this state is known.")
    resolved_at: datetime | None
    notified_at: datetime | None = Field(
        serialization_alias="told_at",
        description="When the user who gave the feedback was informed of the outcome, by a "
        "message.",
    )


class IncidentIn(RequestModel):
    title: Text | None = Field(None, examples=["Messages were delayed"])
    declared_at: PlausibleInstant | None = Field(
        None, description="Null: now, if the incident is new."
    )
    ended_at: PlausibleInstant | None = None
    account_ids: list[NewId] = Field(
        max_length=10_000, description="All affected accounts.", examples=[["acme"]]
    )
    apology_sent_at: PlausibleInstant | None = Field(
        None, description="When an apology was sent to the accounts that had none yet."
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
