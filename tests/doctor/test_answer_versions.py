"""Answers and feedback whose past was overwritten by older versions."""

from datetime import UTC, datetime

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.doctor.answer_versions import check_answers
from app.doctor.faults import Run
from tests.conftest import NOW
from tests.events.calls import client_at_time, ingest, track
from tests.reports.kpis.test_revenue import get_report

JANUARY = datetime(2026, 1, 10, 9, tzinfo=UTC)
PERIOD = {"since": "2026-01-01", "until": "2026-01-31"}


def answer(message_id: str, score: int, at: datetime, user_id: str = "ada") -> dict[str, object]:
    return track(
        message_id,
        event="NPS Submitted",
        userId=user_id,
        timestamp=at.isoformat(),
        properties={"score": score, "response_id": f"r-{user_id}"},
    )


def store_as_older_versions(client: TestClient, sessions: SessionFactory, session: Session) -> None:
    """In January Ada, Bob and Cy answer 10. Today Ada answers 0: older versions overwrote hers."""
    with client_at_time(sessions, client, JANUARY) as then:
        ingest(then, *(answer(f"m-{name}", 10, JANUARY, name) for name in ("ada", "bob", "cy")))
    ingest(client, answer("m-late", 0, NOW))
    for statement in (
        "DELETE FROM engagement_fact",
        "DELETE FROM engagement_object",
        "DELETE FROM survey_response WHERE known_until < '9999-12-31'",
    ):
        session.connection().exec_driver_sql(statement)
    session.commit()


def nps(client: TestClient) -> tuple[float | None, int]:
    found = get_report(client, "nps", **PERIOD)
    return found["value"], found["n"]


def test_stored_events_give_the_past_back(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    store_as_older_versions(client, sessions, session)
    assert nps(client)[1] == 2

    faults = list(check_answers(Run(sessions, "acme", NOW, dry=False)))

    assert [fault.found for fault in faults] == [
        "The answer r-ada has lost what was known on past days."
    ]
    assert nps(client) == (100.0, 3)
    now = client.get("/api/v1/survey-responses", params={"account_id": "a1"}).json()["items"]
    assert {row["response_id"]: row["score"] for row in now} == {
        "r-ada": 0,
        "r-bob": 10,
        "r-cy": 10,
    }
    assert list(check_answers(Run(sessions, "acme", NOW, dry=False))) == []


def test_a_dry_run_changes_no_answer(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    store_as_older_versions(client, sessions, session)

    assert len(list(check_answers(Run(sessions, "acme", NOW, dry=True)))) == 1
    assert nps(client)[1] == 2


def test_what_the_api_changed_too_is_reported(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    store_as_older_versions(client, sessions, session)
    session.connection().exec_driver_sql(
        "UPDATE survey_response SET score = 5 WHERE response_id = 'r-ada'"
    )
    session.commit()

    faults = list(check_answers(Run(sessions, "acme", NOW, dry=False)))

    assert [fault.repair for fault in faults] == [None]
    assert nps(client)[1] == 2
