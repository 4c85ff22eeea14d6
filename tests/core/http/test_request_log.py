import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.core import errors
from app.core.http.request_log import RequestLogMiddleware


@contextmanager
def debug_logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """Collect the log lines of all levels, with what belongs to the request."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    merge = structlog.contextvars.merge_contextvars
    try:
        with structlog.testing.capture_logs(processors=[merge]) as lines:
            yield lines
    finally:
        structlog.configure(**before)


def test_head_answers_like_get_without_the_body(client: TestClient) -> None:
    answer = client.head("/api/v1/plans")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == client.get("/api/v1/plans").headers["etag"]
    assert client.head("/api/v1/accounts/nobody").status_code == 404


def test_the_request_id_of_the_caller_stays(client: TestClient) -> None:
    for sent in ("01J9Z3K4-proxy.7", "Root=1-67891233-abcdef012345678912345678", "x" * 128):
        answer = client.get("/api/v1/accounts/nobody", headers={"X-Request-ID": sent})

        assert answer.headers["x-request-id"] == answer.json()["request_id"] == sent


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_bug_is_answered_with_the_request_id(method: str) -> None:
    app = FastAPI()
    errors.install(app)
    app.add_middleware(RequestLogMiddleware)
    app.add_api_route("/", lambda: 1 // 0)

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.request(method, "/", headers={"X-Request-ID": "known"})

    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "known")


def test_an_id_that_may_spoil_a_log_is_replaced(client: TestClient) -> None:
    for sent in ("", "a b", "x" * 129, '{"a":1}', "caf\u00e9"):
        answer = client.get("/health/live", headers={b"X-Request-ID": sent.encode()})

        assert answer.headers["x-request-id"].startswith("req_")
    assert client.get("/health/live").headers["x-request-id"].startswith("req_")


def test_the_caller_s_trace_is_in_the_answer_and_in_the_log(client: TestClient) -> None:
    trace_id, span_id = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    sent = f"00-{trace_id}-{span_id}-01"
    with debug_logs() as seen:
        answer = client.get("/health/live", headers={"traceparent": sent})

    assert answer.headers["traceparent"] == sent
    [line] = [each for each in seen if each["event"] == "request"]
    assert (line["trace_id"], line["parent_span_id"]) == (trace_id, span_id)


def test_an_invalid_trace_is_left_out(client: TestClient) -> None:
    for sent in ("", "00-x-y-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", "ff" + "-0" * 60):
        answer = client.get("/health/live", headers={"traceparent": sent})

        assert "traceparent" not in answer.headers
