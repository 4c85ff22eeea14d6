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
