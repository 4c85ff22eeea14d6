"""Functions that build calls as SDKs do, send them, and read what was stored."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.core.settings import Settings
from app.main import Storage, create_app
from tests.conftest import NOW

BATCH, NATIVE = "/v1/batch", "/api/v1/events"

Maker = Callable[..., dict[str, Any]]
UsageKey = tuple[str, str, str, bool, str]
"""Account, day, user or anonymous id, whether it is the latter, event name."""


def track(message_id: object = "m1", **fields: object) -> dict[str, Any]:
    """A track call of ada in account a1 at noon; None removes a field."""
    call = {
        "type": "track",
        "messageId": message_id,
        "timestamp": NOW.isoformat(),
        "userId": "ada",
        "event": "Export",
        "context": {"groupId": "a1"},
        **fields,
    }
    return {name: value for name, value in call.items() if value is not None}


def unattributed(message_id: str = "m1", **fields: object) -> dict[str, Any]:
    """A track call without an account."""
    return track(message_id, context={}, **fields)


def group(message_id: str = "g1", account_id: str = "a1", **fields: object) -> dict[str, Any]:
    call = track(message_id, type="group", groupId=account_id, **fields)
    return {name: value for name, value in call.items() if name not in {"event", "context"}}


def identify(message_id: str = "i1", **fields: object) -> dict[str, Any]:
    call = track(message_id, **{"type": "identify", "context": {}, **fields})
    return {name: value for name, value in call.items() if name != "event"}


def alias(anonymous_id: str, user_id: str = "ada", message_id: str = "al1") -> dict[str, Any]:
    return identify(message_id, type="alias", previousId=anonymous_id, userId=user_id)


def post_batch(client: TestClient, *events: object, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer: Response = client.post(BATCH, json={"batch": list(events)}, headers=named)
    return answer


def ingest(client: TestClient, *events: object, **headers: str) -> dict[str, Any]:
    """Send a batch that must be accepted; return its receipt, the counts of which must add up."""
    answer = post_batch(client, *events, **headers)
    assert answer.status_code == 200, answer.text
    return checked_receipt(answer, len(events))


def checked_receipt(answer: Response, events: int) -> dict[str, Any]:
    receipt: dict[str, Any] = answer.json()
    assert receipt["success"] is True
    assert receipt["received"] == events
    parts = ("accepted", "duplicates", "quarantined", "erased")
    assert receipt["received"] == sum(receipt[part] for part in parts)
    return receipt


def counts(receipt: dict[str, Any]) -> tuple[int, int, int]:
    return receipt["accepted"], receipt["duplicates"], receipt["quarantined"]


def warnings(receipt: dict[str, Any]) -> list[str]:
    return [code for verdict in receipt["events"] for code in verdict["warnings"]]


def count_rows(session: Session, table: str) -> int:
    """Count the rows of a table."""
    return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608


TABLES = (
    *("event", "unattributed_event", "quarantined_event", "event_name", "daily_usage"),
    *("daily_reach", "first_use", "account", '"user"', "user_alias", "subscription", "due"),
)


def table_counts(session: Session) -> dict[str, int]:
    return {table: count_rows(session, table) for table in TABLES}


def usage(session: Session, where: str = "true") -> Counter[UsageKey]:
    """Return the daily usage, summed over the days on which it became known."""
    found = session.execute(
        text(
            "SELECT account_id, day::text, user_id, is_anonymous, event_name, sum(events)"  # noqa: S608
            f" FROM daily_usage WHERE {where} GROUP BY 1, 2, 3, 4, 5"
        )
    )
    return Counter({(row[0], row[1], row[2], row[3], row[4]): int(row[5]) for row in found})


def reach(session: Session) -> set[tuple[str, str, str]]:
    found = session.execute(text("SELECT account_id, day::text, end_customer_id FROM daily_reach"))
    return {(row[0], row[1], row[2]) for row in found}


def one_row(session: Session, sql: str) -> tuple[Any, ...]:
    """Return the only row of a query."""
    return tuple(session.execute(text(sql)).one())


def text_rows(session: Session, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(text(sql))]


@contextmanager
def client_at_time(
    sessions: SessionFactory, like: TestClient, now: datetime = NOW, **settings: int
) -> Iterator[TestClient]:
    """A client with the key of another one, of an app with its own clock and settings."""
    changed = Settings(_env_file=None).model_copy(update=settings)
    app = create_app(Storage(sessions, sessions), changed, lambda: now)
    key = like.headers["Authorization"]
    with TestClient(app, headers={"Authorization": key}, raise_server_exceptions=False) as client:
        yield client
