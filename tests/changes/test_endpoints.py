"""Parameters of the feed, and the changes that refreshes record."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.changes import queries
from app.changes.feed import RETENTION, FeedPosition
from app.changes.queries import NewChange
from app.health.scoring import service
from app.health.scoring.assess import Assessment
from app.health.scoring.queries import ChangedScore, write_scores
from app.tables import DailyUsage
from tests import factories
from tests.conftest import NOW
from tests.health.crowd import crowd, name_events


def feed(client: TestClient, **query: Any) -> Any:  # noqa: ANN401
    answer = client.get("/api/v1/changes", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def record(session: Session, *types: str, workspace_id: str = "acme") -> None:
    changes = [NewChange(each, "a1", {"n": n}) for n, each in enumerate(types)]
    queries.record_changes(session, workspace_id, changes, now=NOW)


def refresh(session: Session, *account_ids: str) -> list[Assessment]:
    return service.refresh(session, "acme", account_ids, as_of=NOW.date(), now=NOW)


def test_pages_follow_each_other_without_end(client: TestClient, session: Session) -> None:
    record(session, "score", "alert", "score")

    first = feed(client, limit=2)
    second = feed(client, limit=2, cursor=first["next_cursor"])
    third = feed(client, limit=2, cursor=second["next_cursor"])

    assert [item["data"]["n"] for item in first["items"]] == [0, 1]
    assert [item["data"]["n"] for item in second["items"]] == [2]
    assert (first["has_more"], second["has_more"], third["items"]) == (True, False, [])
    record(session, "alert")
    assert len(feed(client, cursor=third["next_cursor"])["items"]) == 1


def test_only_the_requested_types_are_returned(client: TestClient, session: Session) -> None:
    record(session, "score", "alert", "intervention")

    assert [x["type"] for x in feed(client, types="alert")["items"]] == ["alert"]
    assert [x["type"] for x in feed(client, types="score,alert")["items"]] == ["score", "alert"]


@pytest.mark.parametrize("types", ["", "scores", "score,", "score;alert", "score,alert,"])
def test_unknown_types_are_refused(client: TestClient, types: str) -> None:
    assert client.get("/api/v1/changes", params={"types": types}).status_code == 422


def test_first_scores_and_moves_by_a_point_or_a_band_are_recorded(
    client: TestClient, session: Session
) -> None:
    ids = crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    refresh(session, *ids)
    cursor = feed(client, limit=1000)["next_cursor"]

    refresh(session, *ids)
    assert feed(client, cursor=cursor)["items"] == []

    session.query(DailyUsage).filter(DailyUsage.account_id == ids[-1]).delete()
    refresh(session, *ids)
    [change] = feed(client, cursor=cursor)["items"]

    assert (change["type"], change["account_id"]) == ("score", ids[-1])
    assert change["data"]["before"] - change["data"]["value"] >= 1
    assert change["data"]["band"] == "at_risk"


def test_small_moves_are_recorded_once_they_add_up_to_a_point(session: Session) -> None:
    ids = crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    assessment = refresh(session, *ids)[0]
    assert assessment.score is not None

    moved = [
        write(session, replace(assessment, score=assessment.score - by))
        for by in (0.4, 0.8, 1.2, 1.6)
    ]

    assert [len(each) for each in moved] == [0, 0, 1, 0]
    [change] = moved[2]
    assert (change.before, change.score) == (assessment.score, assessment.score - 1.2)


def write(session: Session, assessment: Assessment) -> Sequence[ChangedScore]:
    return write_scores(session, "acme", [assessment], as_of=NOW.date(), now=NOW, is_past=False)


def test_a_closed_day_records_no_changes(client: TestClient, session: Session) -> None:
    ids = crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    yesterday = NOW.date() - timedelta(days=1)

    service.refresh(session, "acme", ids, as_of=yesterday, now=NOW)

    assert feed(client)["items"] == []


def test_a_cursor_that_could_skip_changes_is_refused(client: TestClient, session: Session) -> None:
    running = queries.oldest_running_transaction(session)
    unused = FeedPosition(running, 1).cursor(NOW - RETENTION)
    foreign = FeedPosition(running + 1_000_000, 1).cursor(NOW)

    for cursor in (unused, foreign, "nonsense"):
        answer = client.get("/api/v1/changes", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (404, "invalid_cursor")


def test_changes_are_deleted_after_a_month(client: TestClient, session: Session) -> None:
    record(session, "score")

    queries.delete_old_changes(session, before=NOW)
    assert len(feed(client)["items"]) == 1
    queries.delete_old_changes(session, before=NOW + timedelta(seconds=1))
    assert feed(client)["items"] == []


def record_at(session: Session, *hours: int) -> None:
    for hour in hours:
        change = NewChange("score", "a1", {"n": hour})
        queries.record_changes(session, "acme", [change], now=NOW + timedelta(hours=hour))


SINCE_TIMES = {
    "2026-03-18T09:00:00Z": [-3, -4, -1],  # in commit order: the older change came later
    "2026-03-18T10:00:00%2B01:00": [-3, -4, -1],
    "2026-03-18T09:00:00.000001Z": [-1],
    "2026-03-18T12:04:59Z": [],
    "2026-03-18": [-3, -4, -1],
    "2026-03-17": [-30, -3, -4, -1],
    "2020-01-01T00:00:00-08:00": [-30, -3, -4, -1],
}


@pytest.mark.parametrize("time", SINCE_TIMES)
@pytest.mark.parametrize("name", ["since", "from"])
def test_the_feed_can_be_read_from_a_time(
    client: TestClient, session: Session, name: str, time: str
) -> None:
    """Now is 12:00. Changes of 06:00 yesterday, 09:00, 08:00 and 11:00, committed in this order."""
    factories.workspace(session, "other")
    record(session, "alert", workspace_id="other")
    record_at(session, -30, -3, -4, -1)

    answer = client.get(f"/api/v1/changes?{name}={time}").json()
    assert [item["data"]["n"] for item in answer["items"]] == SINCE_TIMES[time]
    assert answer["has_more"] is False
    if answer["items"]:
        record_at(session, 0)
        later = client.get(f"/api/v1/changes?{name}={time}&cursor={answer['next_cursor']}").json()
        assert [item["data"]["n"] for item in later["items"]] == [0]


def test_a_start_in_time_is_paged_and_filtered(client: TestClient, session: Session) -> None:
    record_at(session, -30, -3, -2, -1)
    query = {"since": "2026-03-18", "limit": 2, "types": "score"}

    first = feed(client, **query)
    second = feed(client, **query, cursor=first["next_cursor"])

    assert [x["data"]["n"] for x in first["items"] + second["items"]] == [-3, -2, -1]
    assert feed(client, since="2026-03-18", types="alert")["items"] == []


BAD_TIMES = [
    "",
    "yesterday",
    "1773824400",
    "2026-03-18T09:00:00",
    "2026-03-18 25:00:00Z",
    "2026-02-30",
    "2026-03-18T12:05:01Z",
    "2027-01-01",
]


@pytest.mark.parametrize("time", BAD_TIMES)
@pytest.mark.parametrize("name", ["since", "from"])
def test_a_bad_time_is_refused_by_its_name(client: TestClient, name: str, time: str) -> None:
    answer = client.get("/api/v1/changes", params={name: time})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/query/{name}"]


@pytest.mark.parametrize("start", ["now", "oldest"])
def test_a_start_and_a_time_are_refused(client: TestClient, start: str) -> None:
    answer = client.get("/api/v1/changes", params={"since": "2026-03-18", "start": start})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_start")
