"""What is told of the data that comes in: by key and SDK, by source, and what waits."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

SourceState = Literal["live", "silent", "learning", "retired"]


class IngestCounts(BaseModel):
    """`received = accepted + duplicates + quarantined + erased`, always."""

    received: int = Field(examples=[100])
    accepted: int = Field(description="Stored as new.", examples=[97])
    duplicates: int = Field(examples=[1])
    quarantined: int = Field(examples=[2])
    erased: int = Field(description="Of erased people and accounts; not stored.", examples=[0])
    late: int = Field(description="Accepted, of a day before that of receipt.", examples=[3])
    unattributed: int = Field(description="Accepted, to wait for their account.", examples=[5])
    attributed: int = Field(description="Waited before, and found their account.", examples=[4])
    replayed: int = Field(description="Were quarantined before, and stored now.", examples=[0])


class IngestDayCounts(IngestCounts):
    day: date


class SenderStats(IngestCounts):
    """What one key sent with one SDK."""

    key_id: str = Field(examples=["4dQz81kLmN"], description="`import` for files.")
    key_name: str | None = Field(examples=["production"])
    sdk: str | None = Field(examples=["analytics-python/2.4.0"])
    last_received_at: datetime | None
    quarantined_by_code: dict[str, int] = Field(examples=[{"missing_event_name": 2}])
    days: list[IngestDayCounts]


class IngestStats(BaseModel):
    """What came in from the first day to the last, both included."""

    first_day: date
    last_day: date
    totals: IngestCounts
    senders: list[SenderStats]


class SourceOut(BaseModel):
    """An API key that sends events. `learning`: too little is known to tell its silence."""

    key_id: str = Field(examples=["4dQz81kLmN"])
    name: str = Field(examples=["production"])
    state: SourceState
    last_event_at: datetime
    usual_gap_seconds: int | None = Field(
        description="95 of 100 pauses of the last 56 days were no longer.", examples=[3600]
    )
    allowed_gap_seconds: int | None = Field(
        description="Without an event for longer than this, it is silent.", examples=[86400]
    )
    silent_since: datetime | None = Field(description="Its last event before it fell silent.")
    noticed_at: datetime | None
    resumed_at: datetime | None = Field(description="When it last came back.")
    stale_accounts: int = Field(
        description="Accounts of which nobody else has told since.", examples=[0]
    )


class UnattributedSenderOut(BaseModel):
    """Events of one key and SDK that wait for their account."""

    key_id: str = Field(examples=["4dQz81kLmN"])
    sdk: str | None = Field(examples=["analytics-python/2.4.0"])
    events: int = Field(examples=[12])
    oldest_received_at: datetime


class UnattributedSummary(BaseModel):
    """Events that wait until somebody says which account their user belongs to."""

    events: int = Field(examples=[12])
    oldest_received_at: datetime | None
    senders: list[UnattributedSenderOut] = Field(description="The 100 with the most.")
