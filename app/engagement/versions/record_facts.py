"""Store facts about survey responses, feedback, goals and incidents; compute their versions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import orjson
from sqlalchemy import TextClause, inspect
from sqlalchemy.orm import Session

from app.core.sql import load_sql
from app.engagement.tables import (
    PRESENT,
    FeedbackItem,
    Goal,
    Incident,
    IncidentAccount,
    SurveyResponse,
    VersionTable,
)
from app.engagement.versions.facts import (
    AFFECTED_TABLE,
    OBJECT_IDS,
    Fact,
    FactKind,
    ObjectKind,
    State,
    Version,
    versions_since,
)

SQL = load_sql(__file__)
TABLES: tuple[type[VersionTable], ...] = (
    *(SurveyResponse, FeedbackItem, Goal),
    *(Incident, IncidentAccount),
)
SEEDS: Mapping[str, TextClause] = {
    ObjectKind.SURVEY_RESPONSE: SQL.seed_survey_response,
    ObjectKind.FEEDBACK_ITEM: SQL.seed_feedback_item,
    ObjectKind.GOAL: SQL.seed_goal,
    ObjectKind.INCIDENT: SQL.seed_incident,
}
"""Kind of object to the statement that stores facts of objects from before facts were."""

ObjectKey = tuple[ObjectKind, str]
TICK = timedelta(microseconds=1)


def lock_objects(session: Session, workspace_id: str, keys: Mapping[ObjectKey, str | None]) -> None:
    """Lock objects until the end of the transaction, whether they exist or not.

    ``keys``: object to the account of its event. An object that was stored before facts were gets
    the facts of its present version.
    """
    objects = [
        {"object_kind": kind, "object_id": object_id, "event_account": account_id}
        for (kind, object_id), account_id in keys.items()
    ]
    values = {"workspace_id": workspace_id, "objects": _json(objects)}
    new: defaultdict[str, list[str]] = defaultdict(list)
    for row in session.execute(SQL.lock_objects, values).all():
        if row.is_new:
            new[row.object_kind].append(row.object_id)
    for kind, ids in sorted(new.items()):
        session.execute(SEEDS[kind], {"workspace_id": workspace_id, "ids": sorted(ids)})


def next_fact_time(session: Session, workspace_id: str, key: ObjectKey, now: datetime) -> datetime:
    """Return the time of the next API call about a locked object: now, and after every fact."""
    values = {"workspace_id": workspace_id, "object_kind": key[0], "object_id": key[1]}
    newest = session.scalar(SQL.newest_fact, values)
    return now if newest is None else max(now, newest + TICK)


def record_facts(session: Session, workspace_id: str, facts: Sequence[Fact]) -> set[str]:
    """Store facts, and replace the versions of their objects from the first day they were known.

    Return the accounts of the objects, before and after.
    """
    if not facts:
        return set()
    keys: dict[ObjectKey, str | None] = {}
    since: dict[ObjectKey, date] = {}
    for fact in facts:
        key = (fact.object_kind, fact.object_id)
        keys[key] = fact.event_account or keys.get(key)
        since[key] = min(fact.known_on, since.get(key, fact.known_on))
    lock_objects(session, workspace_id, keys)
    session.execute(
        SQL.insert_facts,
        {"workspace_id": workspace_id, "facts": _json([asdict(fact) for fact in facts])},
    )
    return compute_versions(session, workspace_id, since)


def compute_versions(
    session: Session, workspace_id: str, since: Mapping[ObjectKey, date]
) -> set[str]:
    """Replace the versions of locked objects from a day on. Return their accounts."""
    stored = list_facts(session, workspace_id, since)
    computed = {key: versions_since(key[0], stored[key], day) for key, day in since.items()}
    for table in TABLES:
        _replace_versions(session, workspace_id, table, computed, since)
    _set_owners(session, workspace_id, computed)
    return _accounts(computed)


def list_facts(
    session: Session, workspace_id: str, keys: Iterable[ObjectKey]
) -> Mapping[ObjectKey, list[Fact]]:
    """Return the facts of objects."""
    objects = [{"object_kind": kind, "object_id": object_id} for kind, object_id in keys]
    values = {"workspace_id": workspace_id, "objects": _json(objects)}
    facts: defaultdict[ObjectKey, list[Fact]] = defaultdict(list)
    for kind, object_id, fact_kind, *columns in session.execute(SQL.list_facts, values):
        key = (ObjectKind(kind), object_id)
        facts[key].append(Fact(*key, FactKind(fact_kind), *columns))
    return facts


Computed = Mapping[ObjectKey, tuple[State, list[Version]]]


def _replace_versions(
    session: Session,
    workspace_id: str,
    table: type[VersionTable],
    computed: Computed,
    since: Mapping[ObjectKey, date],
) -> None:
    name, ends, rows = table.__tablename__, [], []
    kinds = {ObjectKind.INCIDENT} if name == AFFECTED_TABLE else {ObjectKind(name)}
    changed = [key for key in computed if key[0] in kinds]
    if not changed:
        return
    for key in changed:
        own_ends, own_rows = _changes_of_object(key, name, *computed[key], since[key])
        ends += own_ends
        rows += [{**row, "workspace_id": workspace_id} for row in own_rows]
    if rows and table in (SurveyResponse, FeedbackItem):
        _add_merges(session, workspace_id, table, rows)
    objects = [{"object_id": key[1], "since": since[key]} for key in changed]
    for section, values in (
        ("delete_versions", objects),
        ("end_versions", ends),
        ("insert_versions", rows),
    ):
        if values:
            parameters = {"workspace_id": workspace_id, "rows": _json(values)}
            session.execute(_statement(section, table), parameters)


def _add_merges(
    session: Session, workspace_id: str, table: type[VersionTable], rows: Sequence[dict[str, Any]]
) -> None:
    """Add to new versions the accounts that their objects belonged to before merges."""
    id_column = OBJECT_IDS[table.__tablename__]
    values = {"workspace_id": workspace_id, "ids": sorted({row[id_column] for row in rows})}
    found = session.execute(_statement("merges_of_objects", table), values)
    merges = {row.object_id: (row.merged_from, row.merged_on) for row in found}
    for row in rows:
        row["merged_from"], row["merged_on"] = merges.get(row[id_column], ([], []))


@cache
def _statement(section: str, table: type[VersionTable]) -> TextClause:
    name = table.__tablename__
    return SQL.compose(
        section,
        table=name,
        id=OBJECT_IDS[name],
        same_account="AND v.account_id = r.account_id" if name == AFFECTED_TABLE else "",
        columns=", ".join(column.name for column in inspect(table).columns),
    )


def _changes_of_object(
    key: ObjectKey, table: str, before: State, versions: Iterable[Version], since: date
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the ends of versions that were known before, and the rows to insert."""
    rows, goes_on = [], {}
    for version in versions:
        if version.table != table:
            continue
        account_id = version.row["account_id"] if table == AFFECTED_TABLE else ""
        until = version.known_until or PRESENT
        if version.known_on == since and before.get((table, account_id)) == version.row:
            goes_on[account_id] = until
            continue
        known = {"known_on": version.known_on, "known_until": until, OBJECT_IDS[table]: key[1]}
        rows.append({**version.row, **known})
    ends = [
        {
            "object_id": key[1],
            "account_id": account_id,
            "since": since,
            "until": goes_on.get(account_id, since),
        }
        for name, account_id in before
        if name == table
    ]
    return ends, rows


def _set_owners(session: Session, workspace_id: str, computed: Computed) -> None:
    owners = [
        {"object_kind": version.table, "object_id": key[1], "account_id": version.row["account_id"]}
        for key, (_, versions) in computed.items()
        for version in versions
        if version.known_until is None and key[0] is not ObjectKind.INCIDENT
    ]
    if owners:
        values = {"workspace_id": workspace_id, "owners": _json(owners)}
        session.execute(SQL.set_owners, values)


def _accounts(computed: Computed) -> set[str]:
    states = [row for before, _ in computed.values() for row in before.values()]
    rows = states + [version.row for _, versions in computed.values() for version in versions]
    return {row["account_id"] for row in rows if row.get("account_id")}


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(rows).decode()
