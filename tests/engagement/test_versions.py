"""Versions of answers, feedback, goals and incidents: history in any order, erasures and moves."""

from itertools import permutations
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.reading import segment
from app.imports.event_loader import EventLoader
from app.workspaces.queries import get_workspace
from tests import factories
from tests.conftest import NOW
from tests.engagement.semantic_calls import DAY, days_ago, engagement_of, semantic_call
from tests.engagement.test_order import CALLS
from tests.events.calls import client_at_time, ingest, text_rows
from tests.lifecycle.id_changes import columns_mentioning, erase, move_account

VERSIONED = {
    "survey_response": "response_id",
    "feedback_item": "feedback_id",
    "goal": "goal_id",
    "incident": "incident_id",
}


def import_history(session: Session, *calls: dict[str, Any]) -> None:
    loader = EventLoader(get_workspace(session, "acme"), segment.parse_call, NOW, "import")
    loader.store(session, loader.parse(list(calls)))


def all_versions(session: Session, table: str) -> list[tuple[Any, ...]]:
    """Return all versions and delete them, with their facts and events."""
    tables = (table, "incident_account") if table == "incident" else (table,)
    rows = [
        row
        for name in tables
        for row in text_rows(session, f"SELECT to_jsonb(t)::text FROM {name} t ORDER BY 1")  # noqa: S608
    ]
    for name in (*tables, "engagement_object", "event", "unattributed_event"):
        text_rows(session, f"DELETE FROM {name} RETURNING 1")  # noqa: S608
    return rows


@pytest.mark.parametrize("table", VERSIONED)
def test_history_in_any_order_has_the_same_versions(session: Session, table: str) -> None:
    """Each event is known on its own day, so an earlier one changes versions before the last."""
    factories.account(session, "a1")
    factories.account(session, "a2")
    import_history(session, *CALLS[table])
    expected = all_versions(session, table)
    assert len(expected) >= 3

    for order in [*permutations(CALLS[table])][:: 3 if len(CALLS[table]) < 5 else 13]:
        for call in order:
            import_history(session, call)
        assert all_versions(session, table) == expected, order


def test_a_version_ends_on_the_day_on_which_the_next_one_is_known(session: Session) -> None:
    factories.account(session, "a1")
    for call in reversed(CALLS["survey_response"]):
        import_history(session, call)

    rows = text_rows(
        session,
        "SELECT score, known_on, known_until::text FROM survey_response ORDER BY known_on",
    )

    first, second, third = days_ago(4), days_ago(3), days_ago(2)
    assert rows == [
        *((9, first, str(second)), (8, second, str(third))),
        (7, third, "9999-12-31"),
    ]


@pytest.fixture
def answered(client: TestClient, sessions: SessionFactory, session: Session) -> TestClient:
    """Ten days ago without a user and today by zz-ada: an answer, feedback and an incident."""
    for account_id in ("zz-acme", "a1"):
        factories.account(session, account_id)
    client.put("/api/v1/users/zz-ada", json={"account_id": "zz-acme"})
    where: Any = {"context": {"groupId": "zz-acme"}}
    with client_at_time(sessions, client, NOW - 10 * DAY) as then:
        for n, reader in enumerate((then, client)):
            user: Any = {"userId": ("nobody", "zz-ada")[n], "days": 10 - 10 * n}
            ingest(
                reader,
                semantic_call(
                    "NPS Submitted",
                    f"m{n}",
                    response_id="r",
                    score=n,
                    comment="zz",
                    **where,
                    **user,
                ),
                semantic_call(
                    "Feedback Submitted",
                    f"f{n}",
                    feedback_id="f",
                    kind="praise",
                    text=f"zz{n}",
                    **where,
                    **user,
                ),
                semantic_call("Incident Declared", f"i{n}", incident_id="i", **where, **user),
            )
        ingest(client, semantic_call("Incident Declared", "i2", incident_id="i"))
    return client


def test_an_erasure_of_a_user_reaches_all_versions_and_facts(
    answered: TestClient, sessions: SessionFactory, session: Session
) -> None:
    assert ("engagement_fact", "fields") in columns_mentioning(session, ["zz0", "zz1"])

    erase(answered, sessions, "users/zz-ada")

    assert columns_mentioning(session, ["zz-ada", "zz1"]) == set()
    left = columns_mentioning(session, ["zz0"])
    assert left == {("event", "properties")}, "the event of another user"
    assert len(text_rows(session, "SELECT 1 FROM survey_response")) == 2
    again = semantic_call("NPS Submitted", "m9", response_id="r", score=5, userId="bob")
    ingest(answered, again | {"context": {"groupId": "zz-acme"}})
    [answer] = engagement_of(session, account_id="zz-acme").nps.responses
    assert (answer.score, answer.user_id) == (5, "bob")


def test_an_erasure_of_an_account_reaches_all_versions_and_facts(
    answered: TestClient, sessions: SessionFactory, session: Session
) -> None:
    erase(answered, sessions, "accounts/zz-acme")

    assert columns_mentioning(session, ["zz"]) == set()
    assert text_rows(session, "SELECT object_kind FROM engagement_object") == [("incident",)]


def test_a_resolution_that_waits_is_erased_with_the_account_of_its_event(
    answered: TestClient, sessions: SessionFactory, session: Session
) -> None:
    call = semantic_call("Feedback Resolved", "w", feedback_id="no", outcome="fixed", answer="zz9")
    ingest(answered, call | {"context": {"groupId": "zz-acme"}})
    assert columns_mentioning(session, ["zz9"])

    erase(answered, sessions, "accounts/zz-acme")

    assert columns_mentioning(session, ["zz9"]) == set()


@pytest.mark.parametrize("verb", ["rename", "merge"])
def test_a_moved_account_has_all_versions_and_later_events_add_to_them(
    answered: TestClient, sessions: SessionFactory, session: Session, verb: str
) -> None:
    before = engagement_of(session, days_ago(5), "zz-acme")
    new_id = "b1" if verb == "rename" else "a1"
    move_account(
        answered,
        sessions,
        "zz-acme",
        verb,
        **{"account_id" if verb == "rename" else "into": new_id},
    )

    then, now = (
        engagement_of(session, days_ago(5), new_id),
        engagement_of(session, account_id=new_id),
    )
    assert (then.nps, then.unanswered, then.incidents) == (
        *(before.nps, before.unanswered, before.incidents),
    )
    assert ([each.score for each in now.nps.responses], len(now.incidents)) == ([1], 1)
    later = semantic_call("NPS Submitted", "m9", response_id="r", score=7, userId="zz-ada")
    ended = semantic_call("Incident Resolved", "m8", incident_id="i")
    ingest(answered, *(call | {"context": {"groupId": "zz-acme"}} for call in (later, ended)))
    now = engagement_of(session, account_id=new_id)
    assert [each.score for each in now.nps.responses] == [7]
    assert [each.ended_at for each in now.incidents] == [NOW]
    assert engagement_of(session, days_ago(5), new_id) == then
