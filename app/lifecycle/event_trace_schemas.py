"""The way of one event, from its receipt to the score that uses it."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.lifecycle.event_trace import ScoreInclusion

AccountFoundBy = Literal["event", "user", "alias"]


class TracedScore(BaseModel):
    """The newest score of the account, and whether the event is in it.

    `pending`: the account is about to be scored. `frozen`: a source fell silent, so the score
    stands still. `not_usage`: the event is of a kind that is not counted. `no_score`: there is
    none yet.
    """

    state: ScoreInclusion = Field(examples=["counted"])
    value: float | None = Field(None, examples=[61.4])
    band: str | None = Field(None, examples=["healthy"])
    status: str | None = Field(None, examples=["ok"])
    as_of: date | None = None
    data_through: datetime | None = Field(
        None, description="Events committed by then were counted."
    )
    window_from: date | None = Field(None, description="The first day that the score looks at.")


class TracedEvent(BaseModel):
    """One row under the message id. `received_at` is when it came the first time."""

    verdict: Literal["accepted", "unattributed", "quarantined"]
    received_at: datetime
    key_id: str = Field(examples=["4dQz81kLmN"])
    sdk: str | None = Field(examples=["analytics-python/2.4.0"])
    client_at: datetime | None = Field(None, description="The client's own time.")
    occurred_at: datetime | None = Field(None, description="When we believe that it happened.")
    kind: str | None = Field(None, examples=["track"])
    name: str | None = Field(None, examples=["Report Exported"])
    account_id: str | None = Field(None, examples=["acme"])
    account_found_by: AccountFoundBy | None = Field(
        None, description="Whether the event names the account, or its user or alias led there."
    )
    user_id: str | None = Field(None, examples=["ada"])
    anonymous_id: str | None = Field(None, examples=["web-1"])
    day: date | None = Field(None, description="The day that it counts on.")
    known_on: date | None = Field(None, description="The day since when it counts.")
    score: TracedScore | None = None
    quarantine_id: str | None = Field(None, examples=["q_12"])
    quarantine_status: Literal["open", "replayed", "discarded"] | None = None
    code: str | None = Field(None, examples=["missing_event_name"])
    detail: str | None = Field(None, examples=["A track call needs a non-empty event name."])
    times: int | None = Field(None, description="How often it was quarantined.", examples=[1])


class EventTrace(BaseModel):
    """Everything known under one message id; the same id may have come at several times."""

    message_id: str = Field(examples=["m-7"])
    found: int = Field(
        examples=[1], description="0: it never came, was erased, or is past retention."
    )
    events: list[TracedEvent]
