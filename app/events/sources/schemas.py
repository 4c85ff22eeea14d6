"""Schemas of ingest statistics, sources, and waiting events."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from app.core.schemas import ResponseModel

SourceState = Literal["live", "silent", "learning", "retired"]


class IngestCounts(ResponseModel):
    """The counts of events: `received = accepted + duplicates + quarantined + erased`."""

    received: int = Field(examples=[100])
    accepted: int = Field(description="Stored as new.", examples=[97])
    duplicates: int = Field(examples=[1])
    quarantined: int = Field(examples=[2])
    erased: int = Field(
        description="Events of erased people and accounts; not stored.", examples=[0]
    )
    late: int = Field(description="Accepted, with a day before the day of receipt.", examples=[3])
    unattributed: int = Field(description="Accepted, waiting for their account.", examples=[5])
    attributed: int = Field(
        description="Waited before, and stored once their account was known.", examples=[4]
    )
    replayed: int = Field(description="Quarantined before, and stored by a replay.", examples=[0])


class IngestDayCounts(IngestCounts):
    day: date


class HintCount(ResponseModel):
    """How many events had a hint: a field that is not read, or that was left out."""

    hint: str = Field(examples=["`MRR` is not read; did you mean `mrr`?"])
    events: int = Field(examples=[12])


class SenderStats(IngestCounts):
    """The counts of the events that one key sent with one SDK."""

    key_id: str = Field(
        examples=["4dQz81kLmN"], description="The API key; `import` for imported files."
    )
    key_name: str | None = Field(examples=["production"])
    sdk: str | None = Field(examples=["analytics-python/2.4.0"])
    last_received_at: datetime | None
    quarantined_by_code: dict[str, int] = Field(examples=[{"missing_event_name": 2}])
    hints: list[HintCount] = Field(
        [], description="The 20 most frequent hints of the verdicts, duplicates included."
    )
    days: list[IngestDayCounts]


class IngestStats(ResponseModel):
    """The events received from the first to the last day, both included."""

    first_day: date
    last_day: date
    totals: IngestCounts
    senders: list[SenderStats]


class SourceOut(ResponseModel):
    """An API key that sends events. `learning`: there is too little data to detect silence."""

    key_id: str = Field(examples=["4dQz81kLmN"])
    name: str = Field(examples=["production"])
    state: SourceState
    last_event_at: datetime
    usual_gap_seconds: int | None = Field(
        description="95 of 100 gaps of the last 56 days were no longer.", examples=[3600]
    )
    allowed_gap_seconds: int | None = Field(
        description="The source is silent after a longer time without an event.", examples=[86400]
    )
    silent_since: datetime | None = Field(description="The last event before it became silent.")
    noticed_at: datetime | None
    resumed_at: datetime | None = Field(description="When it last became active again.")
    stale_accounts: int = Field(
        description="Accounts for which no other source has sent events since.", examples=[0]
    )


class UnattributedSenderOut(ResponseModel):
    """The events of one key and SDK that wait for their account."""

    key_id: str = Field(examples=["4dQz81kLmN"])
    sdk: str | None = Field(examples=["analytics-python/2.4.0"])
    events: int = Field(examples=[12])
    oldest_received_at: datetime


class UnattributedSummary(ResponseModel):
    """The events that wait until the account of their user is known."""

    events: int = Field(examples=[12])
    oldest_received_at: datetime | None
    senders: list[UnattributedSenderOut] = Field(
        description="The 100 keys and SDKs with the most waiting events."
    )
