"""Give answers, feedback, goals and incidents the past that later events have overwritten."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, mark_due
from app.core.db import transaction
from app.core.sql import load_sql
from app.doctor.faults import Fault, Run
from app.engagement.apply_events import existing_accounts
from app.engagement.parse_events import (
    PERSONAL_KINDS,
    BadPropertyError,
    EngagementEvent,
    StatementRow,
    parse_event,
)
from app.engagement.versions.facts import EVENT_FACTS, Fact, event_facts, object_state
from app.engagement.versions.record_facts import ObjectKey, list_facts, lock_objects, record_facts
from app.workspaces.queries import get_workspace
from app.workspaces.semantic_events import SemanticEventKind, events_by_name

SQL = load_sql(__file__)
NAMES = {
    "survey_response": "answer",
    "feedback_item": "feedback",
    "goal": "goal",
    "incident": "incident",
}
UNCLEAR = "it was also changed over the API, and nothing stored tells when."


def check_answers(run: Run) -> Iterator[Fault]:
    """Compute the versions of each object again from its stored events.

    Only objects that were stored before versions were, and that several events are about.
    """
    for key, facts in _facts_of_events(run).items():
        if len({(fact.at, fact.message_id) for fact in facts}) < 2:  # noqa: PLR2004 - no older one
            continue
        with run.repair() as session:
            outcome = _rebuild(session, run.workspace_id, key, facts)
            accounts = {fact.event_account for fact in facts if fact.event_account}
            marked, silent = accounts if outcome else (), Priority.SILENT
            mark_due(session, run.workspace_id, marked, priority=silent, notify=False)
        account = min(accounts, default="")
        found = f"The {NAMES[key[0]]} {key[1]} has lost what was known on past days"
        if outcome is True:
            yield Fault(account, f"{found}.", "Its stored events give its versions.")
        elif outcome is None:
            yield Fault(account, f"{found}; {UNCLEAR}", None)


def _rebuild(
    session: Session, workspace_id: str, key: ObjectKey, facts: Sequence[Fact]
) -> bool | None:
    """Replace the facts of an object that were taken from its one row by those of its events.

    Return whether its past changed; None if its events do not lead to its present state.
    """
    lock_objects(session, workspace_id, {key: facts[0].event_account})
    stored = list_facts(session, workspace_id, [key])[key]
    if not any(fact.message_id == "" for fact in stored):
        return False
    others = [fact for fact in stored if fact.message_id != ""]
    if object_state(key[0], [*others, *facts]) != object_state(key[0], stored):
        return None
    values = {"workspace_id": workspace_id, "object_kind": key[0], "object_id": key[1]}
    session.execute(SQL.delete_seeded_facts, values)
    record_facts(session, workspace_id, facts)
    return True


def _facts_of_events(run: Run) -> Mapping[ObjectKey, list[Fact]]:
    """Return the facts of all stored events by object, in the order of the objects."""
    with transaction(run.sessions) as session:
        own_names = get_workspace(session, run.workspace_id).semantic_events
        kinds = events_by_name(own_names)
        values = {"workspace_id": run.workspace_id, "names": list(kinds)}
        events = session.execute(SQL.semantic_events, values).mappings().all()
        rows = [(row, event["known_on"]) for event in events for row in _parse(event, kinds)]
        named = {each for row, _ in rows for each in row.values.get("account_ids") or ()}
        existing = existing_accounts(session, run.workspace_id, sorted(named))
    facts: defaultdict[ObjectKey, list[Fact]] = defaultdict(list)
    for row, known_on in rows:
        for fact in event_facts(row, known_on, existing):
            facts[fact.object_kind, fact.object_id].append(fact)
    return {key: facts[key] for key in sorted(facts)}


def _parse(event: RowMapping, kinds: Mapping[str, SemanticEventKind]) -> list[StatementRow]:
    """Return the rows of a stored event that are facts; none for an incomplete event."""
    kind = kinds[event["name"].lower()]
    if event["properties"].get("impersonated") and kind in PERSONAL_KINDS:
        return []
    try:
        rows = parse_event(_semantic_event(event, kind))
    except BadPropertyError:
        return []
    return [row for row in rows if row.statement in EVENT_FACTS]


def _semantic_event(event: RowMapping, kind: SemanticEventKind) -> EngagementEvent:
    properties: dict[str, Any] = event["properties"]
    return EngagementEvent(
        0,
        kind,
        event["message_id"],
        event["occurred_at"],
        event["account_id"],
        event["user_id"],
        properties,
        has_own_account=event["account_by"] is None,
    )
