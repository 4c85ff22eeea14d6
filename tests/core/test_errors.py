import pytest
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient

from app.core.errors import problem_from_validation
from app.core.filters.matching import FilterError


def test_a_wrong_method_is_told_every_right_one(client: TestClient) -> None:
    answer = client.post("/api/v1/plans/pro")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "DELETE, GET, PUT"


def test_a_query_names_what_there_is_and_each_thing_once(client: TestClient) -> None:
    asked = {"limt": 5, "x": 1, "band": ["healthy", "at_risk"], "min_mrr": 100}
    answer = client.get("/api/v1/accounts", params=asked)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert answer.json()["errors"] == [
        {"pointer": "/query/limt", "message": "There is no such parameter; did you mean 'limit'?"},
        {"pointer": "/query/x", "message": "There is no such parameter."},
        {"pointer": "/query/band", "message": "It is given more than once."},
    ]


def test_what_can_be_read_can_be_asked_for_without_its_body(client: TestClient) -> None:
    answer = client.head("/api/v1/plans")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == client.get("/api/v1/plans").headers["etag"]
    assert client.head("/api/v1/accounts/nobody").status_code == 404


BODY = '{"name": "Acme"}'


@pytest.mark.parametrize("said", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_called_json_is_refused(client: TestClient, said: str) -> None:
    headers = {"Content-Type": said} if said else {}

    answer = client.put("/api/v1/accounts/acme", content=BODY, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert client.get("/api/v1/accounts/acme").status_code == 404


@pytest.mark.parametrize("said", ["application/json; charset=utf-8", "application/vnd.acme+json"])
def test_json_has_several_names(client: TestClient, said: str) -> None:
    headers = {"Content-Type": said}

    answer = client.put("/api/v1/accounts/acme", content=BODY, headers=headers)

    assert (answer.status_code, answer.json()["name"]) == (200, "Acme")


def test_an_error_that_knows_its_place_inside_of_a_value_says_it() -> None:
    inside = FilterError("/when/and/0", "There is no such field.")
    found = {"type": "value_error", "loc": ("body", "rules", 2), "msg": "No.", "input": None}
    error = RequestValidationError([{**found, "ctx": {"error": inside}}, found])

    pointers = [each.pointer for each in problem_from_validation(error).errors]

    assert pointers == ["/body/rules/2/when/and/0", "/body/rules/2"]


def test_a_pointer_leads_into_the_body_and_names_no_branch_of_a_schema() -> None:
    body = {"a/b": [{"kind": "line", "at": 1}]}
    found = {"msg": "Value error, No.", "input": None}
    entries = [
        {**found, "type": "value_error", "loc": ("body", "a/b", 0, "line", "at")},
        {**found, "type": "missing", "loc": ("body", "a/b", 0, "line", "to")},
        {**found, "type": "value_error", "loc": ("body", "a/b", 0, "line")},
    ]

    errors = problem_from_validation(RequestValidationError(entries, body=body)).errors

    assert [each.pointer for each in errors] == [
        "/body/a~1b/0/at",
        "/body/a~1b/0/to",
        "/body/a~1b/0",
    ]
    assert {each.message for each in errors} == {"No."}
