"""HTTP bodies of notes, tasks and sentiment."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from app.collaboration.agreement import Agreement
from app.core.schemas import (
    NO_NUL,
    WHOLE_NUMBER,
    Flag,
    NewDay,
    RequestModel,
    ResponseModel,
    Text,
)
from app.engagement.case_schemas import EARLIEST, PlausibleInstant
from app.health.definition.scorecard import Band


class NoteKind(StrEnum):
    """What a note is about: nothing else, or a call, a meeting or an e-mail."""

    NOTE = "note"
    CALL = "call"
    MEETING = "meeting"
    EMAIL = "email"


def _trim(texts: Sequence[str]) -> list[str]:
    """Remove spaces around texts, empty texts and repeated ones."""
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))


NoteText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=10_000,
        pattern=NO_NUL,
        examples=["Ada asked for the audit log before they renew."],
    ),
]
Participants = Annotated[
    list[Text],
    Field(
        max_length=50,
        description="User ids, e-mail addresses or names. An erased person is removed.",
        examples=[["ada@acme.example", "Kim Lee"]],
    ),
    AfterValidator(_trim),
]
Author = Annotated[
    Text | None,
    Field(description="The person who writes; null: the API key.", examples=["kim@example.com"]),
]
Title = Annotated[Text, Field(examples=["Send the offer for the audit log"])]
Owner = Annotated[
    Text | None, Field(description="Who does it; null: nobody yet.", examples=["kim@example.com"])
]
SentimentValue = Annotated[
    int,
    Strict(),
    Field(ge=1, le=5, description="1 is bad, 3 neutral, 5 good.", examples=[2]),
    WHOLE_NUMBER,
]


class NoteIn(RequestModel):
    """A note. `at`: when it happened, by default now."""

    kind: NoteKind = NoteKind.NOTE
    text: NoteText
    at: PlausibleInstant | None = Field(
        None, description="Null: now. Not in the future.", examples=["2026-03-17T09:30:00Z"]
    )
    participants: Participants = Field(default_factory=list)
    author: Author = None


class NotePatch(RequestModel):
    """The fields to change. `author` must be the author of the note."""

    kind: NoteKind = Field(default_factory=lambda: NoteKind.NOTE)
    text: NoteText = Field(default_factory=str)
    at: PlausibleInstant = Field(
        default_factory=lambda: EARLIEST,
        description="Not in the future.",
        examples=["2026-03-17T09:30:00Z"],
    )
    participants: Participants = Field(default_factory=list)
    author: Author = None


class NoteVersionOut(ResponseModel):
    """An earlier version of a note."""

    version: int = Field(examples=[1])
    kind: NoteKind
    text: str = Field(examples=["Ada asked for the audit log."])
    at: datetime = Field(description="When it happened.")
    participants: list[str] = Field(examples=[["ada@acme.example", "Kim Lee"]])
    replaced_at: datetime


class NoteOut(ResponseModel):
    """A note, as its author last wrote it."""

    id: str = Field(examples=["note_5f0c1c5c3a2b4d6e8f90"])
    account_id: str = Field(examples=["acme"])
    kind: NoteKind
    text: str = Field(examples=["Ada asked for the audit log before they renew."])
    at: datetime = Field(description="When it happened.")
    participants: list[str] = Field(examples=[["ada@acme.example", "Kim Lee"]])
    author: str = Field(examples=["kim@example.com"])
    version: int = Field(description="1, and one more for each change.", examples=[2])
    created_at: datetime
    edited_at: datetime | None


class TaskIn(RequestModel):
    title: Title
    owner: Owner = None
    due_on: NewDay | None = None
    author: Author = None


class TaskPatch(RequestModel):
    """The fields to change; null removes owner or due day. `author`: who changes it."""

    title: Title = Field(default_factory=str)
    owner: Owner = None
    due_on: NewDay | None = None
    done: Flag = Field(default_factory=bool, description="True: done now. False: open again.")
    author: Author = None


class TaskOut(ResponseModel):
    id: str = Field(examples=["task_5f0c1c5c3a2b4d6e8f90"])
    account_id: str = Field(examples=["acme"])
    title: str = Field(examples=["Send the offer for the audit log"])
    owner: str | None = Field(examples=["kim@example.com"])
    due_on: date | None
    author: str = Field(examples=["kim@example.com"])
    created_at: datetime
    done_at: datetime | None = Field(description="Null while the task is open.")
    done_by: str | None = Field(examples=["kim@example.com"])


class SentimentIn(RequestModel):
    """How the owner feels about the account, and why."""

    value: SentimentValue
    reason: Text = Field(examples=["The new director compares us with two others."])
    author: Author = None


class SentimentOut(ResponseModel):
    """What the owner felt at a time. It is part of no score."""

    id: int = Field(examples=[7])
    account_id: str = Field(examples=["acme"])
    value: int = Field(description="1 is bad, 3 neutral, 5 good.", examples=[2])
    reason: str = Field(examples=["The new director compares us with two others."])
    author: str = Field(examples=["kim@example.com"])
    at: datetime


class MachineOut(ResponseModel):
    """The score of the account now."""

    score: float | None = Field(examples=[81.5])
    band: Band


class CurrentSentimentOut(SentimentOut):
    """The newest sentiment, its age, and the score beside it."""

    age_days: int = Field(description="Whole days since then.", examples=[12])
    machine: MachineOut
    agreement: Agreement = Field(
        description="`optimistic`: 4 or 5, and the band is `at_risk`. `pessimistic`: 1 or 2, and"
        " the band is `healthy`. `unknown`: no score. Else `agrees`."
    )
