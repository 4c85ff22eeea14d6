"""Name the users of reach and of completed steps that were stored without them.

Only a named user can be left out as excluded. The stored events tell who it was.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, mark_due
from app.core.db import transaction
from app.core.sql import load_sql
from app.doctor.faults import Fault, Run
from app.events.ingestion.service import event_rules
from app.events.reading.canonical import USAGE_KINDS, EventRules, parse_end_customers
from app.workspaces.queries import get_workspace
from app.workspaces.semantic_events import SemanticEventKind

SQL = load_sql(__file__)
Reach = tuple[str, date, str]
"""Account, day since which it is known, end customer."""


def check_reach(run: Run) -> Iterator[Fault]:
    """Replace reach without a user by rows with the users of the events of that day."""
    named, unnamed = Counter[str](), Counter[str]()
    with transaction(run.sessions) as session:
        rules = event_rules(get_workspace(session, run.workspace_id))
        days = session.scalars(SQL.days_of_unnamed_reach, {"workspace_id": run.workspace_id}).all()
    for day in days:
        with run.repair() as session:
            of_day, users = _find_users(session, run.workspace_id, day, rules)
            if users:
                _name_reach(session, run.workspace_id, day, users)
        named.update(account_id for account_id, _, _ in users)
        unnamed.update(row[0] for row in of_day if row not in users)
    _mark_due(run, named)
    for account_id, rows in sorted(named.items()):
        found = f"{rows} rows of reach name no user, so excluded users are counted."
        yield Fault(account_id, found, "The stored events name the users.")
    for account_id, rows in sorted(unnamed.items()):
        yield Fault(account_id, f"{rows} rows of reach name no user; their events are gone.", None)


def check_completions(run: Run) -> Iterator[Fault]:
    """Give completed steps without a user the users who completed them."""
    values = {"workspace_id": run.workspace_id}
    with run.repair() as session:
        names = event_rules(get_workspace(session, run.workspace_id)).semantic
        done = [name for name, kind in names.items() if kind is SemanticEventKind.STEP_COMPLETED]
        rows = session.execute(SQL.unnamed_completions, values | {"names": done}).mappings().all()
        for row in rows:
            session.execute(SQL.name_completion, values | dict(row))
    steps = Counter(row["account_id"] for row in rows)
    _mark_due(run, steps)
    for account_id, count in sorted(steps.items()):
        found = f"{count} completed onboarding steps name no user, so excluded users are counted."
        yield Fault(account_id, found, "The stored events name the users.")


def _find_users(
    session: Session, workspace_id: str, day: date, rules: EventRules
) -> tuple[Sequence[Reach], dict[Reach, set[tuple[str, bool]]]]:
    """Return the unnamed reach of a day, and who reached: user id, and whether it is anonymous."""
    values: dict[str, Any] = {"workspace_id": workspace_id, "day": day}
    unnamed: list[Reach] = [tuple(row) for row in session.execute(SQL.unnamed_reach, values)]
    wanted = set(unnamed)
    values["account_ids"] = sorted({account_id for account_id, _, _ in unnamed})
    values["kinds"] = sorted(USAGE_KINDS)
    values["keys"] = [*rules.end_customer_keys, "end_customer_ids"]
    users: defaultdict[Reach, set[tuple[str, bool]]] = defaultdict(set)
    for event in session.execute(SQL.events_with_end_customers, values):
        for customer in parse_end_customers(event.properties, rules):
            reach = (event.account_id, event.known_on, customer)
            if reach in wanted:
                users[reach].add((event.user_id, event.is_anonymous))
    return unnamed, users


def _name_reach(
    session: Session, workspace_id: str, day: date, users: dict[Reach, set[tuple[str, bool]]]
) -> None:
    names = ("account_id", "known_on", "end_customer_id", "user_id", "is_anonymous")
    rows = [
        dict(zip(names, (*reach, *user), strict=True))
        for reach, of_reach in users.items()
        for user in of_reach
    ]
    values = {"workspace_id": workspace_id, "day": day, "rows": orjson.dumps(rows).decode()}
    session.execute(SQL.named_reach, values)
    session.execute(SQL.drop_unnamed_reach, values)


def _mark_due(run: Run, account_ids: Counter[str]) -> None:
    with run.repair() as session:
        mark_due(session, run.workspace_id, [*account_ids], priority=Priority.SILENT, notify=False)
