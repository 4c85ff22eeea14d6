import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests import factories

ACCOUNT = "/api/v1/accounts/a1"


@pytest.fixture
def tag(client: TestClient, session: Session) -> str:
    factories.account(session, "a1", name="Acme")
    answer = client.get(ACCOUNT)
    assert answer.status_code == 200
    return str(answer.headers["etag"])


def status(client: TestClient, path: str, if_none_match: str) -> int:
    return int(client.get(path, headers={"If-None-Match": if_none_match}).status_code)


def test_an_unchanged_response_is_not_sent_again(client: TestClient, tag: str) -> None:
    answer = client.get(ACCOUNT, headers={"If-None-Match": tag})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["vary"] == "Accept, Authorization"
    assert answer.headers["x-request-id"]
    assert not {"content-type", "content-length"} & set(answer.headers)


def test_a_changed_response_is_sent(client: TestClient, tag: str) -> None:
    client.patch(ACCOUNT, json={"name": "Acme Ltd"})

    answer = client.get(ACCOUNT, headers={"If-None-Match": tag})

    assert (answer.status_code, answer.json()["name"]) == (200, "Acme Ltd")
    assert answer.headers["etag"] != tag


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', '"x","y" , W/{}', "*", " * "])
def test_a_tag_is_recognised_in_every_form(client: TestClient, tag: str, form: str) -> None:
    assert status(client, ACCOUNT, form.format(tag)) == 304


@pytest.mark.parametrize("form", ['"x"', "{0:.10}", "", '"', "**", "W/*", '"*"'])
def test_another_tag_or_no_tag_has_no_effect(client: TestClient, tag: str, form: str) -> None:
    assert status(client, ACCOUNT, form.format(tag)) == 200


def test_json_and_csv_of_one_list_have_different_tags(client: TestClient, tag: str) -> None:
    tags = [
        client.get("/api/v1/accounts", headers={"Accept": kind}).headers["etag"]
        for kind in ("application/json", "text/csv")
    ]

    assert len({*tags, tag}) == 3
    answer = client.get(
        "/api/v1/accounts", headers={"Accept": "text/csv", "If-None-Match": tags[1]}
    )
    assert answer.status_code == 304


def test_the_health_of_an_account_has_a_tag(client: TestClient, tag: str) -> None:
    assert tag
    answer = client.get(f"{ACCOUNT}/health")

    assert status(client, f"{ACCOUNT}/health", answer.headers["etag"]) == 304


@pytest.mark.parametrize("path", ["/api/v1/accounts/nobody", "/api/v1/nothing", "/health/live"])
def test_a_problem_and_a_probe_have_no_tag(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"If-None-Match": "*"})

    assert answer.status_code != 304
    assert "etag" not in answer.headers


def test_a_write_has_no_tag(client: TestClient, tag: str) -> None:
    answer = client.put(ACCOUNT, json={"name": "Acme"}, headers={"If-None-Match": f"{tag}, *"})

    assert answer.status_code == 200
    assert "etag" not in answer.headers


def test_without_a_key_there_is_no_304(client: TestClient, tag: str) -> None:
    client.headers.pop("Authorization")

    assert status(client, ACCOUNT, tag) == 401
