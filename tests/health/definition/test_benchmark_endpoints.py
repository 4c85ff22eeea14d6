from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.health.scoring import service
from tests.health.builders import AS_OF
from tests.health.crowd import NOW, crowd, name_events

PATH = "/api/v1/benchmarks"


def refresh_one(client: TestClient, session: Session) -> Any:  # noqa: ANN401
    crowd(session, range(1, 26), segment="smb")
    name_events(session, "Export", "Share")
    session.commit()
    return client.post("/api/v1/accounts/a010/health/refresh").json()


def test_the_benchmark_of_a_score_can_be_read(client: TestClient, session: Session) -> None:
    health = refresh_one(client, session)

    found = client.get(f"{PATH}/{health['benchmark_id']}").json()

    assert client.get(PATH).json()["items"] == [found]
    assert (found["month"], found["current"], found["provisional"]) == ("2026-03-01", True, False)
    assert [each["segment"] for each in found["segments"]] == [None, "smb"]
    reach = found["segments"][1]["measures"]["reach"]
    assert reach["median"] == health["measures"][2]["median"]
    assert reach["elasticity"] == pytest.approx(1)
    quantiles = [value for value in reach["quantiles"].values() if value is not None]
    assert quantiles == sorted(quantiles)


def test_a_retired_benchmark_stays_available(client: TestClient, session: Session) -> None:
    before = refresh_one(client, session)["benchmark_id"]
    client.put("/api/v1/product-features/x", json={"name": "X", "event_names": ["Export"]})
    after = client.post("/api/v1/accounts/a010/health/refresh").json()["benchmark_id"]

    assert after != before
    assert {item["id"] for item in client.get(PATH).json()["items"]} == {before, after}


def test_benchmarks_are_listed_newest_month_first_in_pages(
    client: TestClient, session: Session
) -> None:
    refresh_one(client, session)
    for month in (1, 2):
        day = AS_OF.replace(month=month)
        service.refresh(session, "acme", ["a010"], as_of=day, now=NOW)
    session.commit()

    first = client.get(PATH, params={"limit": 2}).json()
    second = client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}).json()

    months = [item["month"] for item in first["items"] + second["items"]]
    assert months == ["2026-03-01", "2026-02-01", "2026-01-01"]


def test_a_new_benchmark_is_audited_once(client: TestClient, session: Session) -> None:
    built = refresh_one(client, session)["benchmark_id"]
    client.post("/api/v1/accounts/a011/health/refresh")

    entries = client.get("/api/v1/audit-entries").json()["items"]

    [entry] = [entry for entry in entries if entry["action"] == "benchmark.built"]
    assert (entry["subject"], entry["actor"]) == (built, "service")
    assert entry["details"] == {"month": "2026-03", "accounts": 25}


def test_an_unknown_benchmark_is_not_found(client: TestClient) -> None:
    assert client.get(f"{PATH}/2026-03-none").status_code == 404
