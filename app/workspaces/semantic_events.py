"""Semantic events: track events with a meaning of their own, and the event names for them. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum


class SemanticEventKind(StrEnum):
    STEP_COMPLETED = "step_completed"
    TICKET_OPENED = "ticket_opened"
    TICKET_REPLIED = "ticket_replied"
    TICKET_CLOSED = "ticket_closed"
    TICKET_REOPENED = "ticket_reopened"
    NPS_ANSWERED = "nps_answered"
    CSAT_ANSWERED = "csat_answered"
    SURVEY_ANSWERED = "survey_answered"
    FEEDBACK_GIVEN = "feedback_given"
    FEEDBACK_RESOLVED = "feedback_resolved"
    GOAL_SET = "goal_set"
    INCIDENT_DECLARED = "incident_declared"
    INCIDENT_ENDED = "incident_ended"
    APOLOGY_SENT = "apology_sent"


DEFAULT_NAMES: Mapping[SemanticEventKind, Sequence[str]] = {
    SemanticEventKind.STEP_COMPLETED: ("Onboarding Step Completed",),
    SemanticEventKind.TICKET_OPENED: ("Ticket Created", "Ticket Opened"),
    SemanticEventKind.TICKET_REPLIED: ("Ticket First Reply", "Ticket Replied"),
    SemanticEventKind.TICKET_CLOSED: ("Ticket Solved", "Ticket Closed"),
    SemanticEventKind.TICKET_REOPENED: ("Ticket Reopened",),
    SemanticEventKind.NPS_ANSWERED: ("NPS Submitted",),
    SemanticEventKind.CSAT_ANSWERED: ("CSAT Submitted",),
    SemanticEventKind.SURVEY_ANSWERED: ("Survey Responded",),
    SemanticEventKind.FEEDBACK_GIVEN: ("Feedback Submitted",),
    SemanticEventKind.FEEDBACK_RESOLVED: ("Feedback Resolved",),
    SemanticEventKind.GOAL_SET: ("Goal Set",),
    SemanticEventKind.INCIDENT_DECLARED: ("Incident Declared",),
    SemanticEventKind.INCIDENT_ENDED: ("Incident Resolved",),
    SemanticEventKind.APOLOGY_SENT: ("Incident Apology Sent",),
}


def events_by_name(own: Mapping[str, Sequence[str]]) -> Mapping[str, SemanticEventKind]:
    """Map lower-case event names to their kind; the workspace's own names replace the defaults."""
    if not own:
        return DEFAULT_EVENTS_BY_NAME
    return {
        name.lower(): kind for kind, names in DEFAULT_NAMES.items() for name in own.get(kind, names)
    }


DEFAULT_EVENTS_BY_NAME: Mapping[str, SemanticEventKind] = {
    name.lower(): kind for kind, names in DEFAULT_NAMES.items() for name in names
}
