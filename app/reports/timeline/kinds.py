"""The kinds of entries of a timeline. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum


class EntryKind(StrEnum):
    """What an entry is about."""

    ALERT = "alert"
    INTERVENTION = "intervention"
    SUBSCRIPTION = "subscription"
    PRICE = "price"
    PLAN = "plan"
    SEATS = "seats"
    SCORECARD = "scorecard"
    TICKET = "ticket"
    ANSWER = "answer"
    FEEDBACK = "feedback"
    GOAL = "goal"
    INCIDENT = "incident"
    ONBOARDING = "onboarding"
    USE = "use"
    PEOPLE = "people"
    SIGNAL = "signal"
    NOTE = "note"
    CALL = "call"
    MEETING = "meeting"
    EMAIL = "email"
    TASK = "task"
    SENTIMENT = "sentiment"


NOTES = (EntryKind.NOTE, EntryKind.CALL, EntryKind.MEETING, EntryKind.EMAIL)

EVENTS: Mapping[EntryKind, Sequence[str]] = {
    EntryKind.ALERT: ("opened", "resolved"),
    EntryKind.INTERVENTION: ("accepted", "dismissed", "done"),
    EntryKind.SUBSCRIPTION: ("began", "ended"),
    EntryKind.PRICE: ("rose", "fell"),
    EntryKind.PLAN: ("changed",),
    EntryKind.SEATS: ("changed",),
    EntryKind.SCORECARD: ("activated",),
    EntryKind.TICKET: ("opened", "closed"),
    EntryKind.ANSWER: ("nps", "csat"),
    EntryKind.FEEDBACK: (
        *("complaint", "request", "praise"),
        *("shipped", "fixed", "answered", "declined"),
    ),
    EntryKind.GOAL: ("began", "closed"),
    EntryKind.INCIDENT: ("began", "ended", "apology"),
    EntryKind.ONBOARDING: ("done",),
    EntryKind.USE: ("first", "last"),
    EntryKind.PEOPLE: ("joined", "silent"),
    EntryKind.SIGNAL: ("opened", "cleared"),
    **dict.fromkeys(NOTES, ("written",)),
    EntryKind.TASK: ("created", "done"),
    EntryKind.SENTIMENT: ("stated",),
}
"""What can happen, by kind: each has a sentence of its own (``kind_event``)."""
