from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.hostile.answers import send
from tests.hostile.requests import HostileRequest


def test_unknown_and_repeated_query_parameters_are_refused(client: TestClient) -> None:
    query: dict[str, Any] = {"limt": 5, "x": 1, "band": ["healthy", "at_risk"], "min_mrr": 100}
    answer = client.get("/api/v1/accounts", params=query)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert answer.json()["errors"] == [
        {"pointer": "/query/limt", "message": "Unknown parameter; did you mean 'limit'?"},
        {"pointer": "/query/x", "message": "Unknown parameter."},
        {"pointer": "/query/band", "message": "The parameter band may be given only once."},
    ]


def test_a_query_that_is_no_text_is_refused(client: TestClient) -> None:
    """Uvicorn refuses it earlier; another server passes it on."""
    headers = [(b"authorization", client.headers["authorization"].encode())]

    answer = send(client, HostileRequest("GET", b"/api/v1/accounts", b"\xff=\xfe", headers))

    assert (answer.status, b'"invalid_input"' in answer.body) == (422, True)


BODY = '{"name": "Acme"}'


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_without_a_json_content_type_is_refused(
    client: TestClient, content_type: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    answer = client.put("/api/v1/accounts/acme", content=BODY, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert client.get("/api/v1/accounts/acme").status_code == 404


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/vnd.acme+json"]
)
def test_json_content_types_have_variants(client: TestClient, content_type: str) -> None:
    headers = {"Content-Type": content_type}

    answer = client.put("/api/v1/accounts/acme", content=BODY, headers=headers)

    assert (answer.status_code, answer.json()["name"]) == (200, "Acme")
