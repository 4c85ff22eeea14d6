"""What a track call can tell beside being counted, and by which names: defaults, and one's own."""

from collections.abc import Mapping, Sequence
from enum import StrEnum


class Told(StrEnum):
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


DEFAULT_NAMES: Mapping[Told, Sequence[str]] = {
    Told.STEP_COMPLETED: ("Onboarding Step Completed",),
    Told.TICKET_OPENED: ("Ticket Created", "Ticket Opened"),
    Told.TICKET_REPLIED: ("Ticket First Reply", "Ticket Replied"),
    Told.TICKET_CLOSED: ("Ticket Solved", "Ticket Closed"),
    Told.TICKET_REOPENED: ("Ticket Reopened",),
    Told.NPS_ANSWERED: ("NPS Submitted",),
    Told.CSAT_ANSWERED: ("CSAT Submitted",),
    Told.SURVEY_ANSWERED: ("Survey Responded",),
    Told.FEEDBACK_GIVEN: ("Feedback Submitted",),
    Told.FEEDBACK_RESOLVED: ("Feedback Resolved",),
    Told.GOAL_SET: ("Goal Set",),
    Told.INCIDENT_DECLARED: ("Incident Declared",),
    Told.INCIDENT_ENDED: ("Incident Resolved",),
    Told.APOLOGY_SENT: ("Incident Apology Sent",),
}


def by_name(own: Mapping[str, Sequence[str]]) -> Mapping[str, Told]:
    """Map event names in small letters to what they tell; own names take the defaults' place."""
    if not own:
        return BY_DEFAULT
    return {
        name.lower(): told for told, names in DEFAULT_NAMES.items() for name in own.get(told, names)
    }


BY_DEFAULT: Mapping[str, Told] = {
    name.lower(): told for told, names in DEFAULT_NAMES.items() for name in names
}
