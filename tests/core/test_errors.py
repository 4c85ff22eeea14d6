from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient
from sqlalchemy.exc import DBAPIError

from app.core.errors import (
    NotFoundError,
    RetryLaterError,
    StorageUnavailableError,
    problem_from_validation,
    reason,
)
from app.core.filters.parser import FilterError


def test_a_wrong_method_is_answered_with_the_allowed_ones(client: TestClient) -> None:
    answer = client.post("/api/v1/plans/pro")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PUT"


def test_a_refused_body_is_answered_with_what_is_accepted(client: TestClient) -> None:
    as_text = client.put("/api/v1/plans/pro", content="x", headers={"Content-Type": "text/plain"})
    in_brotli = {"Content-Encoding": "br"}
    events = client.post("/api/v1/events", content="{}", headers=in_brotli)
    file = client.post("/api/v1/imports?kind=accounts", content="x", headers=in_brotli)

    assert (as_text.status_code, as_text.headers["accept"]) == (415, "application/json")
    assert (events.status_code, events.headers["accept-encoding"]) == (415, "gzip, deflate, zstd")
    assert (file.status_code, file.headers["accept-encoding"]) == (415, "gzip")


def test_the_pointer_of_a_filter_error_extends_the_pointer_of_its_value() -> None:
    inside = FilterError("/when/and/0", "Unknown field.")
    entry = {"type": "value_error", "loc": ("body", "rules", 2), "msg": "No.", "input": None}
    error = RequestValidationError([{**entry, "ctx": {"error": inside}}, entry])

    pointers = [each.pointer for each in problem_from_validation(error).errors]

    assert pointers == ["/body/rules/2/when/and/0", "/body/rules/2"]


def test_a_pointer_points_into_the_body_and_names_no_branch_of_a_schema() -> None:
    body = {"a/b": [{"kind": "line", "at": 1}]}
    entry = {"msg": "Value error, No.", "input": None}
    entries = [
        {**entry, "type": "value_error", "loc": ("body", "a/b", 0, "line", "at")},
        {**entry, "type": "missing", "loc": ("body", "a/b", 0, "line", "to")},
        {**entry, "type": "value_error", "loc": ("body", "a/b", 0, "line")},
    ]

    errors = problem_from_validation(RequestValidationError(entries, body=body)).errors

    assert [each.pointer for each in errors] == [
        "/body/a~1b/0/at",
        "/body/a~1b/0/to",
        "/body/a~1b/0",
    ]
    assert {each.message for each in errors} == {"No."}


def test_an_absent_database_asks_for_a_longer_wait_than_too_many_requests() -> None:
    waits = {int(StorageUnavailableError().headers["Retry-After"]) for _ in range(300)}

    assert waits <= set(range(20, 31))
    assert len(waits) > 5
    assert RetryLaterError().headers["Retry-After"] == "2"


def test_only_the_key_of_a_workspace_is_missing_in_this_workspace() -> None:
    assert str(NotFoundError("account", "acme")) == "No account acme in this workspace."
    assert str(NotFoundError("workspace", "acme", in_workspace=False)) == "No workspace acme."


def test_the_reason_of_a_database_error_has_no_details_with_values() -> None:
    details = "duplicate key\nDETAIL:  Key (email)=(eve@example.com) already exists."

    assert reason(DBAPIError("INSERT", {}, Exception(details))) == "duplicate key"
    assert reason(DBAPIError("SELECT", {}, ValueError())) == "ValueError"
