import csv
import io
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from app.tables import HealthHistory
from tests import factories
from tests.test_openapi import DOCUMENT

CSV = {"Accept": "text/csv"}
USERS = "/api/v1/users"


def rows(answer: Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert int(answer.headers["content-length"]) == len(answer.content)
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def test_a_list_is_answered_as_rows(client: TestClient) -> None:
    client.put(f"{USERS}/ada", json={"name": "=Ada", "traits": {"role": "admin"}})
    client.put(f"{USERS}/eve", json={"name": 'Eve, "E"'})

    users = rows(client.get(USERS, headers=CSV))

    assert [(row["user_id"], row["name"]) for row in users] == [
        ("ada", "'=Ada"),
        ("eve", 'Eve, "E"'),
    ]
    assert (users[0]["traits"], users[0]["excluded"]) == ('{"role":"admin"}', "false")
    assert (users[0]["email"], users[1]["traits"]) == ("", "{}")


def test_an_empty_list_has_the_same_columns(client: TestClient) -> None:
    empty = client.get(USERS, headers=CSV).text
    client.put(f"{USERS}/ada", json={"name": "Ada"})

    assert empty == client.get(USERS, headers=CSV).text.splitlines(keepends=True)[0]
    assert empty.startswith("user_id,")


def test_pages_are_followed_by_their_links(client: TestClient) -> None:
    for user in ("a b", "é", "c", "d", "e"):
        client.put(f"{USERS}/{user}", json={})
    user_ids, answer = [], client.get(USERS, params={"limit": 2}, headers=CSV)
    while True:
        user_ids += [row["user_id"] for row in rows(answer)]
        if "next" not in answer.links:
            break
        assert answer.headers["x-next-cursor"] in answer.headers["link"]
        assert not answer.headers["content-type"].startswith("application/json")
        answer = client.get(answer.url.join(answer.links["next"]["url"]), headers=CSV)

    assert user_ids == ["a b", "c", "d", "e", "é"]
    assert "x-next-cursor" not in answer.headers


def test_the_link_repeats_the_query_with_one_cursor(client: TestClient, session: Session) -> None:
    for number in range(3):
        factories.account(session, f"a{number}", segment="s m&b")
    query = {"segment": "s m&b", "limit": "1", "sort": "-score"}

    first = client.get("/api/v1/accounts", params=query, headers=CSV)
    second = client.get(first.url.join(first.links["next"]["url"]), headers=CSV)

    assert dict(second.url.params) == {**query, "cursor": first.headers["x-next-cursor"]}
    assert [row["account_id"] for row in rows(second)] == ["a1"]
    third = client.get(second.url.join(second.links["next"]["url"]), headers=CSV)
    assert third.url.params.get_list("cursor") == [second.headers["x-next-cursor"]]


def test_a_list_that_is_queried_by_post_has_a_cursor_and_no_link(
    client: TestClient, session: Session
) -> None:
    for number in range(2):
        factories.account(session, f"a{number}")

    answer = client.post("/api/v1/accounts/query", json={"limit": 1}, headers=CSV)

    assert [row["account_id"] for row in rows(answer)] == ["a0"]
    assert answer.headers["x-next-cursor"]
    assert "link" not in answer.headers


def test_nested_objects_have_dotted_columns_and_lists_are_json(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a1")
    session.add(
        HealthHistory(
            workspace_id="acme",
            account_id="a1",
            as_of=datetime(2026, 3, 17, tzinfo=UTC).date(),
            change=0,
            score=61.5,
            band="healthy",
            status="ok",
            coverage=1.0,
            mrr_cents=5,
            details={"scorecard_version": 1},
            computed_at=datetime(2026, 3, 17, tzinfo=UTC),
        )
    )
    session.flush()

    [point] = rows(client.get("/api/v1/accounts/a1/health/history", headers=CSV))
    [account] = rows(client.get("/api/v1/accounts", headers=CSV))
    [score] = rows(client.get("/api/v1/health-scores?account_id=a1", headers=CSV))

    assert (point["value"], point["mrr_cents"]) == ("61.5", "5")
    assert point["details"] == '{"scorecard_version":1}'
    assert {"trend.d7", "trend.d28", "trend.d90"} <= set(account)
    assert score["measures"] == "[]"


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html", "image/png", ";"])
def test_a_client_that_does_not_accept_csv_gets_json(client: TestClient, accept: str) -> None:
    answer = client.get(USERS, headers={"Accept": accept})

    assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"{USERS}/nobody", 404), (f"{USERS}?limit=0", 422), ("/api/v1/workspace", 200)],
)
def test_problems_and_single_resources_stay_json(
    client: TestClient, path: str, status: int
) -> None:
    answer = client.get(path, headers=CSV)

    assert answer.status_code == status
    assert answer.json()


def test_every_list_is_documented_as_csv() -> None:
    without = [
        path
        for path, operations in DOCUMENT["paths"].items()
        if "get" in operations and is_list(operations["get"])
        if "text/csv" not in operations["get"]["responses"]["200"]["content"]
    ]

    assert without == []


def is_list(
    operation: dict[str, dict[str, dict[str, dict[str, dict[str, dict[str, str]]]]]],
) -> bool:
    answer = operation["responses"]["200"].get("content", {}).get("application/json", {})
    name = answer.get("schema", {}).get("$ref", "").rpartition("/")[2]
    properties = DOCUMENT["components"]["schemas"].get(name, {}).get("properties", {})
    return {"items", "next_cursor"} <= set(properties)
