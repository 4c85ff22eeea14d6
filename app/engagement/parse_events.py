"""Parse a semantic event into rows to write; reject missing and invalid properties."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.accounts.traits import check_digits, parse_day, parse_id, parse_text
from app.workspaces.semantic_events import SemanticEventKind as Kind

MISSING, INVALID, UNKNOWN = "semantic_missing", "semantic_invalid", "semantic_unknown"
"""Codes of warnings: a property is missing, is invalid, or names an object that is unknown."""

NPS, CSAT = "nps", "csat"
LARGEST_NPS, LOWEST_CSAT, HIGHEST_CSAT = 10, 1, 5
FEEDBACK_KINDS = ("complaint", "request", "praise")
FEEDBACK_OUTCOMES = ("shipped", "fixed", "answered", "declined")
METRICS = ("events", "active_users", "active_days", "reach", "mrr", "trait")
LONGEST_TEXT = 10_000
LARGEST_NUMBER = 1e15
TICKET_MOMENTS = {
    Kind.TICKET_OPENED: "opened",
    Kind.TICKET_REPLIED: "replied",
    Kind.TICKET_CLOSED: "closed",
    Kind.TICKET_REOPENED: "reopened",
}
SURVEY_KINDS = {Kind.NPS_ANSWERED: NPS, Kind.CSAT_ANSWERED: CSAT}
PERSONAL_KINDS = {Kind.STEP_COMPLETED, Kind.SURVEY_ANSWERED, *SURVEY_KINDS}
"""Kinds of events that only the person counts for who sent them: not if they are impersonated."""
INCIDENT_KINDS = {Kind.INCIDENT_DECLARED, Kind.INCIDENT_ENDED, Kind.APOLOGY_SENT}
WITHOUT_ACCOUNT = {*TICKET_MOMENTS, *INCIDENT_KINDS}
"""Kinds of events that are applied without an account: an agent or a system may send them."""

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
"""The names under which a property may be sent; the first one that is present is used."""


class BadPropertyError(Exception):
    """A property is missing or invalid. ``code``: the warning, ``MISSING`` or ``INVALID``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class EngagementEvent:
    """A semantic event. ``n``: its number in the batch. ``account_id`` None: not known yet.

    ``has_own_account``: the event itself names the account, rather than only its user.
    """

    n: int
    kind: Kind
    message_id: str
    at: datetime
    account_id: str | None
    user_id: str | None
    properties: Mapping[str, Any]
    has_own_account: bool


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A row for a statement of ``apply_events``. ``n``: the event's number in the batch."""

    n: int
    statement: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Properties:
    """The properties of an event, parsed on access."""

    values: Mapping[str, Any]

    def find(self, name: str, parse: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - the parser's type
        """Parse a property; return None if it is missing."""
        names = PROPERTY_NAMES.get(name, (name,))
        value = next((self.values[each] for each in names if each in self.values), None)
        if value is None:
            return None
        try:
            return parse(value)
        except (ValueError, TypeError, OverflowError):
            raise BadPropertyError(INVALID) from None

    def require(self, name: str, parse: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - the parser's type
        value = self.find(name, parse)
        if value is None:
            raise BadPropertyError(MISSING)
        return value


def _row(event: EngagementEvent, statement: str, **values: object) -> list[StatementRow]:
    columns: dict[str, object] = {"account_id": event.account_id, "user_id": event.user_id}
    columns |= {"at": event.at, "message_id": event.message_id}
    return [StatementRow(event.n, statement, columns | values)]


def _parse_completion(event: EngagementEvent, properties: _Properties) -> list[StatementRow]:
    return _row(event, "completion", step_key=properties.require("step", parse_id))


def _parse_ticket(event: EngagementEvent, properties: _Properties) -> list[StatementRow]:
    """The user who opens a ticket is its author; one who replies may be of any account."""
    ticket_id = properties.require("ticket_id", parse_id)
    opens = event.kind is Kind.TICKET_OPENED
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
        kind=TICKET_MOMENTS[event.kind],
        subject=properties.find("subject", parse_text),
        priority=properties.find("priority", _parse_word),
        channel=properties.find("channel", _parse_word),
    )
    score = properties.find("csat", parse_number)
    if score is None or event.account_id is None:
        return ticket + moment
    response = _row(
        event,
        "response",
        response_id=f"ticket-{ticket_id}"[:255],
        ticket_id=ticket_id,
        kind=CSAT,
        score=scale_csat(score, properties.find("scale", parse_number)),
        comment=None,
    )
    return ticket + moment + response


def _parse_response(event: EngagementEvent, properties: _Properties) -> list[StatementRow]:
    kind = SURVEY_KINDS.get(event.kind) or properties.require("survey", _one_of((NPS, CSAT)))
    score = properties.require("score", parse_number)
    if kind == CSAT:
        score = scale_csat(score, properties.find("scale", parse_number))
    elif score not in range(LARGEST_NPS + 1):
        raise BadPropertyError(INVALID)
    return _row(
        event,
        "response",
        response_id=properties.find("response_id", parse_id) or event.message_id,
        kind=kind,
        score=score,
        comment=properties.find("comment", _parse_long_text),
        ticket_id=properties.find("ticket_id", parse_id),
    )


def scale_csat(score: float, highest: float | None) -> float:
    """Convert a score on a scale from 1 to ``highest`` (None: 5) to the scale from 1 to 5."""
    highest = HIGHEST_CSAT if highest is None else highest
    if not LOWEST_CSAT <= score <= highest or highest <= LOWEST_CSAT:
        raise BadPropertyError(INVALID)
    span = (HIGHEST_CSAT - LOWEST_CSAT) / (highest - LOWEST_CSAT)
    return round(LOWEST_CSAT + (score - LOWEST_CSAT) * span, 6)


def _parse_feedback(event: EngagementEvent, properties: _Properties) -> list[StatementRow]:
    return _row(
        event,
        "feedback",
        feedback_id=properties.find("feedback_id", parse_id) or event.message_id,
        kind=properties.require("kind", _one_of(FEEDBACK_KINDS)),
        text=properties.find("text", _parse_long_text),
        topic=properties.find("topic", parse_text),
        product_feature=properties.find("product_feature", parse_id),
        owner=properties.find("owner", parse_text),
        due_on=properties.find("due_on", parse_day),
    )


def _parse_resolution(event: EngagementEvent, properties: _Properties) -> list[StatementRow]:
    return _row(
        event,
        "resolution",
        feedback_id=properties.require("feedback_id", parse_id),
        status=properties.require("outcome", _one_of(FEEDBACK_OUTCOMES)),
        answer=properties.find("answer", _parse_long_text),
    )


def _parse_goal(event: EngagementEvent, properties: _Properties) -> list[StatementRow]:
    metric = properties.require("metric", _one_of(METRICS))
    due_on = properties.require("due_on", parse_day)
    if due_on <= event.at.date():
        raise BadPropertyError(INVALID)
    return _row(
        event,
        "goal",
        goal_id=properties.find("goal_id", parse_id) or event.message_id,
        title=properties.require("title", parse_text),
        metric=metric,
        event_names=properties.find("event_names", _parse_texts) or [],
        trait=properties.require("trait", parse_text) if metric == "trait" else None,
        baseline=properties.require("baseline", parse_number),
        target=properties.require("target", parse_number),
        due_on=due_on,
    )


def _parse_incident(event: EngagementEvent, properties: _Properties) -> list[StatementRow]:
    """Parse an incident. Without ``account_ids``, only the account of the event is affected."""
    incident_id = properties.require("incident_id", parse_id)
    account_ids = properties.find("account_ids", _parse_ids)
    affected = account_ids or [each for each in (event.account_id,) if each]
    columns = {"incident_id": incident_id, "account_ids": affected}
    match event.kind:
        case Kind.INCIDENT_DECLARED:
            title = properties.find("title", parse_text)
            incident = _row(event, "incident", incident_id=incident_id, title=title)
            return incident + _row(event, "affected", **columns)
        case Kind.INCIDENT_ENDED:
            return _row(event, "incident_end", incident_id=incident_id)
    return _row(event, "apology", **columns)


PARSERS: Mapping[Kind, Callable[[EngagementEvent, _Properties], list[StatementRow]]] = {
    Kind.STEP_COMPLETED: _parse_completion,
    **dict.fromkeys(TICKET_MOMENTS, _parse_ticket),
    **dict.fromkeys((*SURVEY_KINDS, Kind.SURVEY_ANSWERED), _parse_response),
    Kind.FEEDBACK_GIVEN: _parse_feedback,
    Kind.FEEDBACK_RESOLVED: _parse_resolution,
    Kind.GOAL_SET: _parse_goal,
    **dict.fromkeys(INCIDENT_KINDS, _parse_incident),
}


def parse_event(event: EngagementEvent) -> list[StatementRow]:
    """Parse one event. Raises ``BadPropertyError``."""
    return PARSERS[event.kind](event, _Properties(event.properties))


def parse_number(value: object) -> float:
    """Parse a finite number, also from a text, in which "1.500" is ambiguous."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("must be a number")
    check_digits(value)
    number = float(value)
    if not abs(number) <= LARGEST_NUMBER:
        raise ValueError(f"must be a number between {-LARGEST_NUMBER:g} and {LARGEST_NUMBER:g}")
    return number


def _parse_word(value: object) -> str:
    return parse_text(value).lower()


def _parse_long_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("must be a text")
    return value.strip()[:LONGEST_TEXT]


def _one_of(words: Sequence[str]) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if (word := _parse_word(value)) not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return word

    return parse


def _parse_texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return sorted({parse_text(each) for each in values})


def _parse_ids(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return sorted({parse_id(each) for each in values})
