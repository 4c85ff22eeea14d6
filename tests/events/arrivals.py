"""Events in each order of arrival, for tests of what must not depend on it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.events import calls

MIDNIGHT = NOW.replace(hour=0)
Call = dict[str, Any]


def at(hour: float) -> str:
    return (MIDNIGHT + timedelta(hours=hour)).isoformat()


def arrivals(events: Sequence[Call], old_id: str) -> Iterable[tuple[str, list[list[Call]]]]:
    """Return each order of arrival, in one request and one by one, each with an id of its own."""
    for number, order in enumerate(permutations(events)):
        for way, requests in (("one", [list(order)]), ("each", [[each] for each in order])):
            new_id = f"{old_id}-{way}-{number}"
            yield new_id, [[_with_id(each, old_id, new_id) for each in some] for some in requests]


def _with_id(event: Call, old_id: str, new_id: str) -> Call:
    renamed = {key: new_id if value == old_id else value for key, value in event.items()}
    return renamed | {"messageId": f"{new_id}-{event['messageId']}"}


def stored(client: TestClient, session: Session, events: Sequence[Call], sql: str) -> set[str]:
    """Return what is stored after each order of arrival."""
    found = set()
    for new_id, requests in arrivals(events, "x"):
        for request in requests:
            calls.ingest(client, *request)
        found.add(repr(calls.one_row(session, sql.format(new_id))))
    return found
