"""An alias call from one user to another merges nothing, and says so."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.sources import monitoring
from tests.events import calls
from tests.events.calls import alias, group, identify, track

HINT = (
    "The previous id is that of a user, and users are not merged: both stay. An alias call links an"
    " anonymous id to a user."
)
NO_WARNING: tuple[list[str], list[str]] = ([], [])


def alias_verdict(receipt: dict[str, Any]) -> tuple[list[str], list[str]]:
    found = [row for row in receipt["events"] if row["message_id"] == "al1"]
    return (found[0]["warnings"], found[0]["hints"]) if found else NO_WARNING


@pytest.mark.parametrize(
    "before",
    [track("m1", userId="old"), identify("i1", userId="old"), group("g1", userId="old")],
    ids=["track", "identify", "group"],
)
@pytest.mark.parametrize("together", [True, False])
def test_an_alias_call_from_a_user_to_another_warns_and_keeps_both(
    client: TestClient, session: Session, before: dict[str, Any], *, together: bool
) -> None:
    events = [track("m0"), before]
    if not together:
        calls.ingest(client, *events)
        events = []

    receipt = calls.ingest(client, alias("old"), *events)

    assert alias_verdict(receipt) == (["users_not_merged"], [HINT])
    found = calls.text_rows(session, 'SELECT user_id FROM "user" ORDER BY 1')
    assert found == [("ada",), ("old",)]


def test_an_alias_call_with_an_anonymous_id_has_no_warning(client: TestClient) -> None:
    calls.ingest(client, track("m1", userId=None, anonymousId="anon"))

    assert alias_verdict(calls.ingest(client, alias("anon"))) == NO_WARNING
    assert calls.warnings(calls.ingest(client, alias("ada", "ada", "al2"))) == []


def test_the_statistics_count_the_alias_calls_that_merge_nothing(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, track("m1", userId="old"), alias("old"))
    monitoring.aggregate_stats(sessions)

    stats = client.get("/api/v1/ingest/stats").json()

    assert HINT in str(stats)
