from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.pagination import encode_cursor
from app.tables import HealthHistory, HealthScore
from tests import factories
from tests.health.builders import AS_OF
from tests.health.crowd import NOW, crowd, name_events

ACCOUNTS = "/api/v1/accounts"


def add_scored_account(session: Session, account_id: str, **columns: Any) -> None:  # noqa: ANN401
    """Insert an account with a score; ``name``, ``segment`` and ``owner`` belong to the account."""
    of_account = {
        name: columns.pop(name) for name in ("name", "segment", "owner") if name in columns
    }
    factories.account(session, account_id, **of_account)
    usual = {"score": 50.0, "band": "healthy", "status": "ok", "coverage": 1.0, "as_of": AS_OF}
    row = HealthScore(workspace_id="acme", account_id=account_id, **(usual | columns))
    session.add(row)
    session.flush()


def add_history(session: Session, day: date, change: int = 0, **columns: Any) -> None:  # noqa: ANN401
    usual = {"score": 50.0, "band": "healthy", "status": "ok", "coverage": 1.0, "mrr_cents": 0}
    session.add(
        HealthHistory(
            workspace_id="acme",
            account_id="a1",
            as_of=day,
            change=change,
            **(usual | columns),
            details={"scorecard_version": 1},
            computed_at=datetime.combine(day, datetime.min.time(), UTC),
        )
    )
    session.flush()


def test_health_includes_measures_benchmark_and_price(client: TestClient, session: Session) -> None:
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")

    found = client.post(f"{ACCOUNTS}/a010/health/refresh").json()

    assert client.get(f"{ACCOUNTS}/a010/health").json() == found
    assert (found["account_id"], found["status"], found["as_of"]) == ("a010", "ok", "2026-03-18")
    assert (found["polarity"], found["coverage"]) == ("higher_is_better", 1)
    assert (found["normalizer"], found["benchmark_month"]) == ("workspace", "2026-03-01")
    assert (found["mrr_cents"], found["price_status"]) == (1000_00, "priced")
    assert [measure["name"] for measure in found["measures"]] == [
        *("breadth", "depth", "reach", "momentum")
    ]
    assert datetime.fromisoformat(found["computed_at"]) == NOW


def test_an_account_without_a_score_has_no_value(client: TestClient, session: Session) -> None:
    factories.account(session, "a1", plan="pro")

    found = client.get(f"{ACCOUNTS}/a1/health").json()

    assert (found["value"], found["band"], found["measures"]) == (None, "unknown", [])
    assert (found["as_of"], found["computed_at"], found["plan"]) == (None, None, "pro")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "health"), ("POST", "health/refresh"), ("GET", "health/history")]
)
def test_the_health_of_an_unknown_account_is_not_found(
    client: TestClient, session: Session, method: str, path: str
) -> None:
    factories.workspace(session, "other")
    factories.account(session, "theirs", workspace_id="other")

    for account_id in ("nobody", "theirs"):
        answer = client.request(method, f"{ACCOUNTS}/{account_id}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_refresh_writes_the_score_at_once(client: TestClient, session: Session) -> None:
    factories.account(session, "a1")

    client.post(f"{ACCOUNTS}/a1/health/refresh")

    assert session.get_one(HealthScore, ("acme", "a1")).computed_at == NOW
    assert len(client.get(f"{ACCOUNTS}/a1/health/history").json()["items"]) == 1


def test_history_is_oldest_first_with_a_row_per_change_of_band(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a1")
    add_history(session, AS_OF, score=80.0)
    add_history(session, AS_OF - timedelta(days=1), change=1, band="watch", score=40.0)
    add_history(session, AS_OF - timedelta(days=1), score=60.0)

    items = client.get(f"{ACCOUNTS}/a1/health/history").json()["items"]

    assert [(item["as_of"], item["change"], item["value"]) for item in items] == [
        ("2026-03-17", 0, 60),
        ("2026-03-17", 1, 40),
        ("2026-03-18", 0, 80),
    ]
    assert items[0]["details"] == {"scorecard_version": 1}


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({}, [90, 0]),
        ({"since": "2026-03-18"}, [0]),
        ({"until": "2026-03-17"}, [91, 90]),
        ({"since": "2025-01-01", "until": "2025-12-31"}, [91, 90]),
        ({"since": "2026-03-18", "until": "2026-03-01"}, []),
        ({"until": "0001-01-01"}, []),
    ],
)
def test_history_returns_the_requested_days_and_ninety_days_by_default(
    client: TestClient, session: Session, query: dict[str, str], days: list[int]
) -> None:
    factories.account(session, "a1")
    for back in (0, 90, 91):
        add_history(session, AS_OF - timedelta(days=back))

    items = client.get(f"{ACCOUNTS}/a1/health/history", params=query).json()["items"]

    assert [item["as_of"] for item in items] == [str(AS_OF - timedelta(days=back)) for back in days]


@pytest.mark.parametrize("query", [{"since": "0"}, {"since": "yesterday"}, {"until": "2026-02-30"}])
def test_an_invalid_day_is_rejected(
    client: TestClient, session: Session, query: dict[str, str]
) -> None:
    factories.account(session, "a1")

    assert client.get(f"{ACCOUNTS}/a1/health/history", params=query).status_code == 422


def test_a_long_history_is_paged(client: TestClient, session: Session) -> None:
    factories.account(session, "a1")
    expected = [(str(AS_OF - timedelta(days=back)), n) for back in range(5, -1, -1) for n in (0, 1)]
    for day, change in expected:
        add_history(session, date.fromisoformat(day), change)

    read: list[tuple[str, int]] = []
    params: dict[str, Any] = {"limit": 5}
    while True:
        page = client.get(f"{ACCOUNTS}/a1/health/history", params=params).json()
        read += [(point["as_of"], point["change"]) for point in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]

    assert read == expected


@pytest.mark.parametrize("place", [("2026-02-30", 0), ("2026-03-01",), (0, 0), ("2026-03-01", "0")])
def test_a_cursor_of_another_list_is_rejected(
    client: TestClient, session: Session, place: tuple[object, ...]
) -> None:
    factories.account(session, "a1")

    answer = client.get(f"{ACCOUNTS}/a1/health/history", params={"cursor": encode_cursor(*place)})

    assert (answer.status_code, answer.json()["code"]) == (404, "invalid_cursor")


def test_several_scores_are_returned_with_the_unknown_ids(
    client: TestClient, session: Session
) -> None:
    for account_id in ("b", "a", "c"):
        add_scored_account(session, account_id)
    factories.workspace(session, "other")
    factories.account(session, "theirs", workspace_id="other")

    requested = ["c", "nobody", "a", "theirs", "a"]
    found = client.get("/api/v1/health-scores", params={"account_id": requested}).json()

    assert [item["account_id"] for item in found["items"]] == ["a", "c"]
    assert found["unknown"] == ["nobody", "theirs"]


@pytest.mark.parametrize(("number", "status"), [(0, 422), (1, 200), (500, 200), (501, 422)])
def test_up_to_five_hundred_scores_can_be_requested(
    client: TestClient, number: int, status: int
) -> None:
    ids = [f"a{each}" for each in range(number)]

    answer = client.get("/api/v1/health-scores", params={"account_id": ids})

    assert answer.status_code == status
