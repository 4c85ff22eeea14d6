"""From a semantic event to rows: which properties are read, under which names, and what is bad."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.accounts.traits import day, identity, text
from app.workspaces.semantic_events import SemanticEventKind

MISSING, INVALID, UNKNOWN = "semantic_missing", "semantic_invalid", "semantic_unknown"
"""Why an event does not do what it says: a needed property lacks, cannot be read, names nothing."""

NPS, CSAT = "nps", "csat"
LARGEST_NPS, LOWEST_CSAT, HIGHEST_CSAT = 10, 1, 5
KINDS = ("complaint", "request", "praise")
OUTCOMES = ("shipped", "fixed", "answered", "declined")
METRICS = ("events", "active_users", "active_days", "reach", "mrr", "trait")
LONGEST_TEXT = 10_000
LARGEST = 1e15
MOMENTS = {
    SemanticEventKind.TICKET_OPENED: "opened",
    SemanticEventKind.TICKET_REPLIED: "replied",
    SemanticEventKind.TICKET_CLOSED: "closed",
    SemanticEventKind.TICKET_REOPENED: "reopened",
}
SURVEYS = {SemanticEventKind.NPS_ANSWERED: NPS, SemanticEventKind.CSAT_ANSWERED: CSAT}
OF_INCIDENTS = {
    SemanticEventKind.INCIDENT_DECLARED,
    SemanticEventKind.INCIDENT_ENDED,
    SemanticEventKind.APOLOGY_SENT,
}
WITHOUT_ACCOUNT = {*MOMENTS, *OF_INCIDENTS}
"""Told by whoever works on it, so that they count although nobody knows the account yet."""

SPELLINGS: Mapping[str, Sequence[str]] = {
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
class Event:
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
    names_account: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row for one of the statements. ``n``: the event's number, for warnings."""

    n: int
    statement: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Said:
    """The properties of an event, each read as what it must be."""

    properties: Mapping[str, Any]

    def find(self, name: str, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - what read makes
        """Read a property; None where it is not there."""
        names = SPELLINGS.get(name, (name,))
        value = next((self.properties[each] for each in names if each in self.properties), None)
        if value is None:
            return None
        try:
            return read(value)
        except (ValueError, TypeError, OverflowError):
            raise BadPropertyError(INVALID) from None

    def need(self, name: str, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - what read makes
        value = self.find(name, read)
        if value is None:
            raise BadPropertyError(MISSING)
        return value


def _row(event: Event, statement: str, **values: object) -> list[Row]:
    of_event = {"account_id": event.account_id, "user_id": event.user_id, "at": event.at}
    return [Row(event.n, statement, of_event | {"n": event.n} | values)]


def _completion(event: Event, said: _Said) -> list[Row]:
    return _row(event, "completion", step_key=said.need("step", identity))


def _ticket(event: Event, said: _Said) -> list[Row]:
    """Who opens it is who asks; who replies may be of any account."""
    ticket_id = said.need("ticket_id", identity)
    opens = event.told is SemanticEventKind.TICKET_OPENED
    ticket = _row(
        event,
        "ticket",
        ticket_id=ticket_id,
        account_id=event.account_id if opens or event.names_account else None,
        user_id=event.user_id if opens else None,
    )
    moment = _row(
        event,
        "moment",
        ticket_id=ticket_id,
        kind=MOMENTS[event.told],
        subject=said.find("subject", text),
        priority=said.find("priority", _word),
        channel=said.find("channel", _word),
    )
    score = said.find("csat", number)
    if score is None or event.account_id is None:
        return ticket + moment
    of_ticket = {"response_id": f"ticket-{ticket_id}"[:255], "ticket_id": ticket_id, "kind": CSAT}
    csat = satisfaction(score, said.find("scale", number))
    return ticket + moment + _row(event, "response", **of_ticket, score=csat, comment=None)


def _response(event: Event, said: _Said) -> list[Row]:
    kind = SURVEYS.get(event.told) or said.need("survey", _one_of((NPS, CSAT)))
    score = said.need("score", number)
    if kind == CSAT:
        score = satisfaction(score, said.find("scale", number))
    elif score not in range(LARGEST_NPS + 1):
        raise BadPropertyError(INVALID)
    return _row(
        event,
        "response",
        response_id=said.find("response_id", identity) or event.message_id,
        kind=kind,
        score=score,
        comment=said.find("comment", _long),
        ticket_id=said.find("ticket_id", identity),
    )


def satisfaction(score: float, highest: float | None) -> float:
    """Bring an answer on a scale from 1 to a highest value to the scale from 1 to 5."""
    highest = HIGHEST_CSAT if highest is None else highest
    if not LOWEST_CSAT <= score <= highest or highest <= LOWEST_CSAT:
        raise BadPropertyError(INVALID)
    span = (HIGHEST_CSAT - LOWEST_CSAT) / (highest - LOWEST_CSAT)
    return round(LOWEST_CSAT + (score - LOWEST_CSAT) * span, 6)


def _feedback(event: Event, said: _Said) -> list[Row]:
    return _row(
        event,
        "feedback",
        feedback_id=said.find("feedback_id", identity) or event.message_id,
        kind=said.need("kind", _one_of(KINDS)),
        text=said.find("text", _long),
        topic=said.find("topic", text),
        product_feature=said.find("product_feature", identity),
        owner=said.find("owner", text),
        due_on=said.find("due_on", day),
    )


def _resolution(event: Event, said: _Said) -> list[Row]:
    return _row(
        event,
        "resolution",
        feedback_id=said.need("feedback_id", identity),
        status=said.need("outcome", _one_of(OUTCOMES)),
        answer=said.find("answer", _long),
    )


def _goal(event: Event, said: _Said) -> list[Row]:
    metric = said.need("metric", _one_of(METRICS))
    due_on = said.need("due_on", day)
    if due_on <= event.at.date():
        raise BadPropertyError(INVALID)
    return _row(
        event,
        "goal",
        goal_id=said.find("goal_id", identity) or event.message_id,
        title=said.need("title", text),
        metric=metric,
        event_names=said.find("event_names", _texts) or [],
        trait=said.need("trait", text) if metric == "trait" else None,
        baseline=said.need("baseline", number),
        target=said.need("target", number),
        due_on=due_on,
    )


def _incident(event: Event, said: _Said) -> list[Row]:
    """``account_ids`` are the affected ones; without them it is the account of the event."""
    incident_id = said.need("incident_id", identity)
    named = said.find("account_ids", _ids) or [each for each in (event.account_id,) if each]
    of_incident = {"incident_id": incident_id, "account_ids": named}
    match event.told:
        case SemanticEventKind.INCIDENT_DECLARED:
            title = said.find("title", text)
            declared = _row(event, "incident", incident_id=incident_id, title=title)
            return declared + _row(event, "affected", **of_incident)
        case SemanticEventKind.INCIDENT_ENDED:
            return _row(event, "incident_end", incident_id=incident_id)
    return _row(event, "apology", **of_incident)


READERS: Mapping[SemanticEventKind, Callable[[Event, _Said], list[Row]]] = {
    SemanticEventKind.STEP_COMPLETED: _completion,
    **dict.fromkeys(MOMENTS, _ticket),
    **dict.fromkeys((*SURVEYS, SemanticEventKind.SURVEY_ANSWERED), _response),
    SemanticEventKind.FEEDBACK_GIVEN: _feedback,
    SemanticEventKind.FEEDBACK_RESOLVED: _resolution,
    SemanticEventKind.GOAL_SET: _goal,
    **dict.fromkeys(OF_INCIDENTS, _incident),
}


def rows(event: Event) -> list[Row]:
    """Read one event, or raise ``BadPropertyError``."""
    return READERS[event.told](event, _Said(event.properties))


def number(value: object) -> float:
    """Read a finite number, also from a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("a number is wanted")
    found = float(value)
    if not abs(found) <= LARGEST:
        raise ValueError("a finite number is wanted")
    return found


def _word(value: object) -> str:
    return text(value).lower()


def _long(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is wanted")
    return value.strip()[:LONGEST_TEXT]


def _one_of(words: Sequence[str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if (found := _word(value)) not in words:
            raise ValueError("another word is wanted")
        return found

    return read


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return sorted({text(each) for each in values})


def _ids(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return sorted({identity(each) for each in values})
