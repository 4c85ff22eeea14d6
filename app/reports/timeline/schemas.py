from datetime import datetime

from pydantic import Field

from app.core.schemas import ResponseModel
from app.reports.timeline.kinds import EntryKind


class TimelineEntry(ResponseModel):
    """Something that happened to an account, or that people did."""

    at: datetime = Field(description="Something with a day only has the beginning of it, in UTC.")
    kind: EntryKind
    event: str = Field(
        description="What happened; the events of each kind are in docs/collaboration.md.",
        examples=["opened"],
    )
    id: str = Field(
        description="Of what the entry is about: the alert, note, ticket and so on.",
        examples=["al_019aa1b2c3d4e5f60718293a"],
    )
    author: str | None = Field(
        description="Who wrote a note or stated a sentiment; null for all else.",
        examples=["kim@example.com"],
    )
    sentence: str = Field(examples=['The alert "Health at risk" opened.'])
