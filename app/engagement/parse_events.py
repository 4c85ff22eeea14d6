"""From a semantic event to rows: which properties are read, under which names, and what is bad."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.accounts.traits import parse_day, parse_id, parse_text
from app.workspaces.semantic_events import SemanticEventKind

MISSING, INVALID, UNKNOWN = "semantic_missing", "semantic_invalid", "semantic_unknown"
"""Why an event does not do what it says: a needed property lacks, cannot be read, names nothing."""

NPS, CSAT = "nps", "csat"
LARGEST_NPS, LOWEST_CSAT, HIGHEST_CSAT = 10, 1, 5
FEEDBACK_KINDS = ("complaint", "request", "praise")
FEEDBACK_OUTCOMES = ("shipped", "fixed", "answered", "declined")
METRICS = ("events", "active_users", "active_days", "reach", "mrr", "trait")
LONGEST_TEXT = 10_000
LARGEST_NUMBER = 1e15
TICKET_MOMENTS = {
    SemanticEventKind.TICKET_OPENED: "opened",
    SemanticEventKind.TICKET_REPLIED: "replied",
    SemanticEventKind.TICKET_CLOSED: "closed",
    SemanticEventKind.TICKET_REOPENED: "reopened",
}
SURVEY_KINDS = {SemanticEventKind.NPS_ANSWERED: NPS, SemanticEventKind.CSAT_ANSWERED: CSAT}
INCIDENT_KINDS = {
    SemanticEventKind.INCIDENT_DECLARED,
    SemanticEventKind.INCIDENT_ENDED,
    SemanticEventKind.APOLOGY_SENT,
}
WITHOUT_ACCOUNT = {*TICKET_MOMENTS, *INCIDENT_KINDS}
"""Told by whoever works on it, so that they count although nobody knows the account yet."""

PROPERTY_NAMES: Mapping[str, Sequence[str]] = {
    "step": ("step", "step_key", "step_name"),
    "ticket_id": ("ticket_id", "ticketId"),
    "response_id": ("response_id", "responseId"),
    "feedback_id": ("feedback_id", "feedbackId"),
    "goal_id": ("goal_id", "goalId"),
    "incident_id": ("incident_id", "incidentId"),
    "score": ("score", "rating"),
    "csat": ("csat", "satisfaction_score"),
    "survey": ("survey", "survey_type", "type"),
    "comment": ("comment", "text", "feedback"),
    "text": ("text", "message", "comment"),
    "kind": ("kind", "type"),
    "product_feature": ("product_feature", "feature"),
    "outcome": ("outcome", "status"),
    "answer": ("answer", "comment"),
    "title": ("title", "name"),
    "due_on": ("due_on", "due_date"),
    "event_names": ("event_names", "event_name"),
}
"""Under which names a property is looked for; the first one that is there counts."""


class BadPropertyError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class EngagementEvent:
    """A semantic event; ``account_id`` None: nobody knows it yet.

    ``names_account``: it says so itself, and not only by its user.
    """

    n: int
    told: SemanticEventKind
    message_id: str
    at: datetime
    account_id: str | None
    user_id: str | None
    properties: Mapping[str, Any]
    has_own_account: bool


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One row for one of the statements. ``n``: the event's number, for warnings."""

    n: int
    statement: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Properties:
    """The properties of an event, each read as what it must be."""

    properties: Mapping[str, Any]

    def find(self, name: str, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - what read makes
        """Read a property; None where it is not there."""
        names = PROPERTY_NAMES.get(name, (name,))
        value = next((self.properties[each] for each in names if each in self.properties), None)
        if value is None:
            return None
        try:
            return read(value)
        except (ValueError, TypeError, OverflowError):
            raise BadPropertyError(INVALID) from None

    def require(self, name: str, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - what read makes
        value = self.find(name, read)
        if value is None:
            raise BadPropertyError(MISSING)
        return value


def _row(event: EngagementEvent, statement: str, **values: object) -> list[StatementRow]:
    of_event = {"account_id": event.account_id, "user_id": event.user_id, "at": event.at}
    return [StatementRow(event.n, statement, of_event | {"n": event.n} | values)]


def _parse_completion(event: EngagementEvent, said: _Properties) -> list[StatementRow]:
    return _row(event, "completion", step_key=said.require("step", parse_id))


def _parse_ticket(event: EngagementEvent, said: _Properties) -> list[StatementRow]:
    """Who opens it is who asks; who replies may be of any account."""
    ticket_id = said.require("ticket_id", parse_id)
    opens = event.told is SemanticEventKind.TICKET_OPENED
    ticket = _row(
        event,
        "ticket",
        ticket_id=ticket_id,
        account_id=event.account_id if opens or event.has_own_account else None,
        user_id=event.user_id if opens else None,
    )
    moment = _row(
        event,
        "moment",
        ticket_id=ticket_id,
        kind=TICKET_MOMENTS[event.told],
        subject=said.find("subject", parse_text),
        priority=said.find("priority", _parse_word),
        channel=said.find("channel", _parse_word),
    )
    score = said.find("csat", parse_number)
    if score is None or event.account_id is None:
        return ticket + moment
    of_ticket = {"response_id": f"ticket-{ticket_id}"[:255], "ticket_id": ticket_id, "kind": CSAT}
    csat = scale_csat(score, said.find("scale", parse_number))
    return ticket + moment + _row(event, "response", **of_ticket, score=csat, comment=None)


def _parse_response(event: EngagementEvent, said: _Properties) -> list[StatementRow]:
    kind = SURVEY_KINDS.get(event.told) or said.require("survey", _one_of((NPS, CSAT)))
    score = said.require("score", parse_number)
    if kind == CSAT:
        score = scale_csat(score, said.find("scale", parse_number))
    elif score not in range(LARGEST_NPS + 1):
        raise BadPropertyError(INVALID)
    return _row(
        event,
        "response",
        response_id=said.find("response_id", parse_id) or event.message_id,
        kind=kind,
        score=score,
        comment=said.find("comment", _parse_long_text),
        ticket_id=said.find("ticket_id", parse_id),
    )


def scale_csat(score: float, highest: float | None) -> float:
    """Bring an answer on a scale from 1 to a highest value to the scale from 1 to 5."""
    highest = HIGHEST_CSAT if highest is None else highest
    if not LOWEST_CSAT <= score <= highest or highest <= LOWEST_CSAT:
        raise BadPropertyError(INVALID)
    span = (HIGHEST_CSAT - LOWEST_CSAT) / (highest - LOWEST_CSAT)
    return round(LOWEST_CSAT + (score - LOWEST_CSAT) * span, 6)


def _parse_feedback(event: EngagementEvent, said: _Properties) -> list[StatementRow]:
    return _row(
        event,
        "feedback",
        feedback_id=said.find("feedback_id", parse_id) or event.message_id,
        kind=said.require("kind", _one_of(FEEDBACK_KINDS)),
        text=said.find("text", _parse_long_text),
        topic=said.find("topic", parse_text),
        product_feature=said.find("product_feature", parse_id),
        owner=said.find("owner", parse_text),
        due_on=said.find("due_on", parse_day),
    )


def _parse_resolution(event: EngagementEvent, said: _Properties) -> list[StatementRow]:
    return _row(
        event,
        "resolution",
        feedback_id=said.require("feedback_id", parse_id),
        status=said.require("outcome", _one_of(FEEDBACK_OUTCOMES)),
        answer=said.find("answer", _parse_long_text),
    )


def _parse_goal(event: EngagementEvent, said: _Properties) -> list[StatementRow]:
    metric = said.require("metric", _one_of(METRICS))
    due_on = said.require("due_on", parse_day)
    if due_on <= event.at.date():
        raise BadPropertyError(INVALID)
    return _row(
        event,
        "goal",
        goal_id=said.find("goal_id", parse_id) or event.message_id,
        title=said.require("title", parse_text),
        metric=metric,
        event_names=said.find("event_names", _parse_texts) or [],
        trait=said.require("trait", parse_text) if metric == "trait" else None,
        baseline=said.require("baseline", parse_number),
        target=said.require("target", parse_number),
        due_on=due_on,
    )


def _parse_incident(event: EngagementEvent, said: _Properties) -> list[StatementRow]:
    """``account_ids`` are the affected ones; without them it is the account of the event."""
    incident_id = said.require("incident_id", parse_id)
    named = said.find("account_ids", _parse_ids) or [each for each in (event.account_id,) if each]
    of_incident = {"incident_id": incident_id, "account_ids": named}
    match event.told:
        case SemanticEventKind.INCIDENT_DECLARED:
            title = said.find("title", parse_text)
            declared = _row(event, "incident", incident_id=incident_id, title=title)
            return declared + _row(event, "affected", **of_incident)
        case SemanticEventKind.INCIDENT_ENDED:
            return _row(event, "incident_end", incident_id=incident_id)
    return _row(event, "apology", **of_incident)


PARSERS: Mapping[
    SemanticEventKind, Callable[[EngagementEvent, _Properties], list[StatementRow]]
] = {
    SemanticEventKind.STEP_COMPLETED: _parse_completion,
    **dict.fromkeys(TICKET_MOMENTS, _parse_ticket),
    **dict.fromkeys((*SURVEY_KINDS, SemanticEventKind.SURVEY_ANSWERED), _parse_response),
    SemanticEventKind.FEEDBACK_GIVEN: _parse_feedback,
    SemanticEventKind.FEEDBACK_RESOLVED: _parse_resolution,
    SemanticEventKind.GOAL_SET: _parse_goal,
    **dict.fromkeys(INCIDENT_KINDS, _parse_incident),
}


def parse_event(event: EngagementEvent) -> list[StatementRow]:
    """Read one event, or raise ``BadPropertyError``."""
    return PARSERS[event.told](event, _Properties(event.properties))


def parse_number(value: object) -> float:
    """Read a finite number, also from a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("a number is wanted")
    found = float(value)
    if not abs(found) <= LARGEST_NUMBER:
        raise ValueError("a finite number is wanted")
    return found


def _parse_word(value: object) -> str:
    return parse_text(value).lower()


def _parse_long_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is wanted")
    return value.strip()[:LONGEST_TEXT]


def _one_of(words: Sequence[str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if (found := _parse_word(value)) not in words:
            raise ValueError("another word is wanted")
        return found

    return read


def _parse_texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return sorted({parse_text(each) for each in values})


def _parse_ids(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return sorted({parse_id(each) for each in values})
