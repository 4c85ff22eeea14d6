"""Compute the versions of an object from the facts about it; the order of facts does not matter.

For each field the newest fact by its own time counts. A fact about an object that nothing has
created yet waits until a fact creates it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from app.engagement.parse_events import StatementRow

Row = dict[str, Any]
"""The columns of a version, as JSON values."""

State = Mapping[tuple[str, str], Row]
"""The rows of an object as known on a day, by table and account. Account "": of the object."""


class ObjectKind(StrEnum):
    """What facts are about. Its value is the name of the table of its versions."""

    SURVEY_RESPONSE = "survey_response"
    FEEDBACK_ITEM = "feedback_item"
    GOAL = "goal"
    INCIDENT = "incident"


class FactKind(StrEnum):
    """What a fact does. An event creates an object or adds to it (``GIVEN``), a PUT replaces it."""

    GIVEN = "given"
    REPLACED = "replaced"
    CHANGED = "changed"
    RESOLVED = "resolved"
    ENDED = "ended"
    AFFECTED = "affected"
    APOLOGY = "apology"


CREATING = (FactKind.GIVEN, FactKind.REPLACED)
AFFECTED_TABLE = "incident_account"
OBJECT_IDS: Mapping[str, str] = {
    ObjectKind.SURVEY_RESPONSE: "response_id",
    ObjectKind.FEEDBACK_ITEM: "feedback_id",
    ObjectKind.GOAL: "goal_id",
    ObjectKind.INCIDENT: "incident_id",
    AFFECTED_TABLE: "incident_id",
}
"""Table of versions to its column with the id of the object."""

EVENT_FACTS: Mapping[str, tuple[ObjectKind, FactKind]] = {
    "response": (ObjectKind.SURVEY_RESPONSE, FactKind.GIVEN),
    "feedback": (ObjectKind.FEEDBACK_ITEM, FactKind.GIVEN),
    "resolution": (ObjectKind.FEEDBACK_ITEM, FactKind.RESOLVED),
    "goal": (ObjectKind.GOAL, FactKind.GIVEN),
    "incident": (ObjectKind.INCIDENT, FactKind.GIVEN),
    "affected": (ObjectKind.INCIDENT, FactKind.AFFECTED),
    "incident_end": (ObjectKind.INCIDENT, FactKind.ENDED),
    "apology": (ObjectKind.INCIDENT, FactKind.APOLOGY),
}
"""Rows of semantic events that are facts, by the name under which they are parsed."""

COMMON_COLUMNS = {"account_id", "user_id", "at", "message_id", "account_ids"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of ``engagement_fact``. ``event_account``: the account of its event, if any."""

    object_kind: ObjectKind
    object_id: str
    kind: FactKind
    at: datetime
    known_on: date
    account_id: str = ""
    user_id: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    message_id: str = ""
    event_account: str | None = None

    @property
    def order(self) -> tuple[object, ...]:
        return (self.at, self.message_id, self.kind, self.account_id)


@dataclass(frozen=True, slots=True)
class Version:
    """What was known of a row from ``known_on`` on. ``known_until`` None: it is known now."""

    table: str
    known_on: date
    known_until: date | None
    row: Row


def event_facts(
    row: StatementRow, known_on: date | None, existing_accounts: Collection[str]
) -> list[Fact]:
    """Return the facts of a parsed event. ``known_on`` None: the day of the event.

    Ids that are in a list of accounts and of no existing account are left out: they may be erased.
    """
    object_kind, kind = EVENT_FACTS[row.statement]
    values, id_column = row.values, OBJECT_IDS[object_kind]
    left_out = COMMON_COLUMNS | {id_column}
    fields = {k: v for k, v in values.items() if k not in left_out and v is not None}
    if kind is FactKind.AFFECTED:
        fields = {"is_affected": True}
    if object_kind is not ObjectKind.INCIDENT:
        account_ids = [values["account_id"] if kind is FactKind.GIVEN else ""]
    elif kind in {FactKind.AFFECTED, FactKind.APOLOGY} and values["account_ids"]:
        account_ids = sorted(set(values["account_ids"]) & set(existing_accounts))
    else:
        account_ids = [""] if kind is not FactKind.AFFECTED else []
    return [
        Fact(
            object_kind,
            values[id_column],
            kind,
            values["at"],
            known_on or values["at"].date(),
            account_id,
            values["user_id"] if kind is FactKind.GIVEN and not _is_incident(object_kind) else None,
            {k: v.isoformat() if isinstance(v, date) else v for k, v in fields.items()},
            values["message_id"],
            None if _is_incident(object_kind) else values["account_id"],
        )
        for account_id in account_ids
    ]


def _is_incident(object_kind: ObjectKind) -> bool:
    return object_kind is ObjectKind.INCIDENT


def object_state(object_kind: ObjectKind, facts: Iterable[Fact]) -> State:
    """Return the rows that facts describe, in any order of facts; empty if none creates it."""
    ordered = sorted(facts, key=lambda fact: fact.order)
    if object_kind is ObjectKind.INCIDENT:
        return _incident_state(ordered)
    owner = next((fact.account_id for fact in ordered if fact.kind in CREATING), None)
    if owner is None:
        return {}
    of_owner = [f for f in ordered if f.account_id == owner or f.kind is FactKind.RESOLVED]
    return {(object_kind.value, ""): {"account_id": owner} | FOLDS[object_kind](of_owner)}


def _survey_response(facts: Iterable[Fact]) -> Row:
    row: Row = {"user_id": None, "comment": None, "ticket_id": None}
    for fact in facts:
        replaces = fact.kind is FactKind.REPLACED
        user_id = fact.user_id if replaces else fact.user_id or row["user_id"]
        row |= {"at": instant_text(fact.at), **fact.fields, "user_id": user_id}
    return row


def _feedback_item(facts: Sequence[Fact]) -> Row:
    """Fold feedback: it was given at its earliest fact, by the first known user."""
    optional = ("user_id", "text", "topic", "product_feature", "owner", "due_on", "answer")
    resolution = ("resolved_at", "resolved_known_on", "notified_at")
    row: Row = dict.fromkeys((*optional, *resolution)) | {"status": "open"}
    for fact in facts:
        if fact.kind in CREATING:
            replaces = fact.kind is FactKind.REPLACED
            row["user_id"] = fact.user_id if replaces else row["user_id"] or fact.user_id
            row.setdefault("at", instant_text(fact.at))
        if fact.kind is not FactKind.RESOLVED:
            row |= fact.fields
    for fact in (each for each in facts if each.kind is FactKind.RESOLVED):
        at = instant_text(fact.at)
        row |= {"resolved_at": at, "notified_at": at, "resolved_known_on": str(fact.known_on)}
        row |= fact.fields
    return row


def _goal(facts: Iterable[Fact]) -> Row:
    row: Row = {"event_names": [], "trait": None, "closed_on": None}
    for fact in facts:
        if fact.kind in CREATING:
            row.setdefault("starts_on", fact.at.astimezone(UTC).date().isoformat())
        row |= fact.fields
    return row | {"trait": row["trait"] if row.get("metric") == "trait" else None}


FOLDS: Mapping[ObjectKind, Callable[[Sequence[Fact]], Row]] = {
    ObjectKind.SURVEY_RESPONSE: _survey_response,
    ObjectKind.FEEDBACK_ITEM: _feedback_item,
    ObjectKind.GOAL: _goal,
}


def _incident_state(facts: Sequence[Fact]) -> State:
    if not any(fact.kind in CREATING for fact in facts):
        return {}
    affected: defaultdict[str, list[Fact]] = defaultdict(list)
    apologies: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind is FactKind.AFFECTED:
            affected[fact.account_id].append(fact)
        elif fact.kind is FactKind.APOLOGY:
            apologies[fact.account_id].append(fact)
    rows: dict[tuple[str, str], Row] = {(ObjectKind.INCIDENT.value, ""): _incident(facts)}
    for account_id, own in affected.items():
        if own[-1].fields["is_affected"]:
            row = _apology(own, apologies.get(account_id, []), apologies.get("", []))
            rows[AFFECTED_TABLE, account_id] = {"account_id": account_id, **row}
    return rows


def _incident(facts: Iterable[Fact]) -> Row:
    row: Row = {"title": None, "ended_at": None, "ended_known_on": None}
    for fact in facts:
        if fact.kind is FactKind.ENDED:
            row |= {"ended_at": instant_text(fact.at), "ended_known_on": str(fact.known_on)}
        if fact.kind in CREATING:
            row.setdefault("declared_at", instant_text(fact.at))
            row |= fact.fields
            if "ended_at" in fact.fields:
                row["ended_known_on"] = str(fact.known_on) if row["ended_at"] else None
    return row


def _apology(affected: Iterable[Fact], own: Iterable[Fact], to_all: Iterable[Fact]) -> Row:
    """Return the earliest apology to an account.

    An apology without accounts is one to all accounts that were affected before.
    """
    since = min(_since(fact) for fact in affected if fact.fields["is_affected"])
    sent = [*own, *(fact for fact in to_all if instant_text(fact.at) >= since)]
    apologies = [
        (fact.fields.get("sent_at", instant_text(fact.at)), str(fact.known_on)) for fact in sent
    ]
    sent_at, known_on = min(apologies, default=(None, None))
    return {"apology_sent_at": sent_at, "apology_known_on": known_on}


def _since(fact: Fact) -> str:
    return str(fact.fields.get("since", instant_text(fact.at)))


def instant_text(at: datetime) -> str:
    """Write an instant so that texts compare as instants do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def versions_since(
    object_kind: ObjectKind, facts: Sequence[Fact], since: date
) -> tuple[State, list[Version]]:
    """Return the state that was known before a day, and the versions from that day on.

    A version that continues the state before has that day as ``known_on``.
    """
    before = object_state(object_kind, [fact for fact in facts if fact.known_on < since])
    days = sorted({fact.known_on for fact in facts if fact.known_on >= since} | {since})
    states = [
        object_state(object_kind, [fact for fact in facts if fact.known_on <= day]) for day in days
    ]
    versions = [
        version
        for key in sorted({key for state in states for key in state})
        for version in _versions_of_row(
            key[0], [(day, state.get(key)) for day, state in zip(days, states, strict=True)]
        )
    ]
    return before, versions


def _versions_of_row(table: str, rows: Sequence[tuple[date, Row | None]]) -> Iterable[Version]:
    """Join days with equal rows to one version."""
    starts = [n for n, (_, row) in enumerate(rows) if n == 0 or row != rows[n - 1][1]]
    for n, following in zip(starts, [*starts[1:], None], strict=True):
        day, row = rows[n]
        if row is not None:
            yield Version(table, day, None if following is None else rows[following][0], row)
