"""Reach and completed steps without users, as older versions stored them."""

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.doctor.faults import Fault, Run
from app.doctor.unnamed_use import check_completions, check_reach
from tests.conftest import NOW
from tests.events.calls import group, ingest, one_row, track

DAY = "2026-03-01T09:00:00Z"
REACH = (
    "SELECT array_agg((end_customer_id, user_id, is_anonymous)::text ORDER BY 1)"
    " FROM (SELECT * FROM daily_reach ORDER BY end_customer_id, user_id) r"
)
STEPS = "SELECT array_agg((step_key, user_id)::text ORDER BY step_key) FROM onboarding_completion"


def order(n: int, customer: str, **who: str | None) -> dict[str, object]:
    return track(
        f"o{n}", event="Order", timestamp=DAY, properties={"end_customer_id": customer}, **who
    )


def store_as_older_versions(client: TestClient, session: Session) -> None:
    """Ada and Bob reach c1, Ada c2, a visitor c3; the event of c4 is gone."""
    ingest(
        client,
        group("g1", userId="ada"),
        order(1, "c1", userId="ada", groupId="a1"),
        order(2, "c1", userId="bob", groupId="a1"),
        order(3, "c2", userId="ada", groupId="a1"),
        order(4, "c3", userId=None, anonymousId="visitor", groupId="a1"),
        order(5, "c4", userId="ada", groupId="a1"),
    )
    for statement in (
        "DELETE FROM daily_reach WHERE user_id = 'bob'",
        "UPDATE daily_reach SET user_id = '', is_anonymous = false",
        "DELETE FROM event WHERE message_id = 'o5'",
    ):
        session.connection().exec_driver_sql(statement)
    session.commit()


def test_reach_gets_the_users_of_the_stored_events(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    store_as_older_versions(client, session)

    faults = list(check_reach(Run(sessions, "acme", NOW, dry=False)))

    assert faults == [
        Fault(
            "a1",
            "3 rows of reach name no user, so excluded users are counted.",
            "The stored events name the users.",
        ),
        Fault("a1", "1 rows of reach name no user; their events are gone.", None),
    ]
    assert one_row(session, REACH) == (
        ["(c1,ada,f)", "(c1,bob,f)", "(c2,ada,f)", "(c3,visitor,t)", '(c4,"",f)'],
    )
    again = list(check_reach(Run(sessions, "acme", NOW, dry=False)))
    assert [fault.repair for fault in again] == [None]


def test_a_dry_run_changes_no_reach(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    store_as_older_versions(client, session)
    before = one_row(session, REACH)

    faults = list(check_reach(Run(sessions, "acme", NOW, dry=True)))

    assert [fault.repair is None for fault in faults] == [False, True]
    assert one_row(session, REACH) == before


def test_completed_steps_get_the_users_of_events_and_of_use(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """Ada completes kickoff by its event, Bob order by use; nobody is known for call."""
    for position, key in enumerate(("call", "kickoff", "order")):
        body = {"position": position, "event_names": ["Order"] if key == "order" else []}
        client.put(f"/api/v1/onboarding-steps/{key}", json=body)
    who = {"userId": "ada", "groupId": "a1"}
    done = {"event": "Onboarding Step Completed", "timestamp": DAY}
    ingest(
        client,
        track("s1", **done, properties={"step": "kickoff"}, **who),
        order(1, "c1", userId="bob", groupId="a1"),
    )
    session.connection().exec_driver_sql("UPDATE onboarding_completion SET user_id = ''")
    session.connection().exec_driver_sql(
        "INSERT INTO onboarding_completion (workspace_id, account_id, step_key, known_on, user_id,"
        " done_at) VALUES ('acme', 'a1', 'order', '2026-03-18', '', '2026-03-01'),"
        " ('acme', 'a1', 'call', '2026-03-18', '', '2026-03-01')"
    )
    session.commit()

    faults = list(check_completions(Run(sessions, "acme", NOW, dry=False)))

    assert [fault.account_id for fault in faults] == ["a1"]
    assert faults[0].found.startswith("2 completed onboarding steps")
    assert one_row(session, STEPS) == (['(call,"")', "(kickoff,ada)", "(order,bob)"],)
    assert list(check_completions(Run(sessions, "acme", NOW, dry=False))) == []
