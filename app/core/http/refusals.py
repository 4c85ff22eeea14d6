"""Refusals of connections and heads: the problems, and their answers without the application."""

from http import HTTPStatus

import orjson
from starlette.types import Receive, Scope, Send

from app.core.errors import (
    MEDIA_TYPE,
    BadRequestError,
    ProblemError,
    RetryLaterError,
    problem_body,
)

MAX_HEAD_BYTES, MAX_HEADERS = 32 * 1024, 100
HEAD_SECONDS = 10.0


class InvalidHttpError(BadRequestError):
    code = "invalid_http"
    default_detail = (
        "The request is not valid HTTP/1.1: check its method, URL, headers and the length of its"
        " body."
    )


class HeadTooLargeError(ProblemError):
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "head_too_large"
    default_detail = (
        f"The head of the request is too large: at most {MAX_HEADERS} headers, and"
        f" {MAX_HEAD_BYTES} bytes of URL and headers."
    )


class HeadTooSlowError(ProblemError):
    status = HTTPStatus.REQUEST_TIMEOUT
    code = "head_too_slow"
    default_detail = f"The head of the request did not arrive within {HEAD_SECONDS:.0f} s."


class TooManyConnectionsError(RetryLaterError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_connections"
    default_detail = "Too many connections from this address: reuse connections, or close some."


def _headers(problem: ProblemError, body: bytes) -> dict[str, str]:
    return {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "connection": "close",
        **problem.headers,
    }


def raw_answer(problem: ProblemError) -> bytes:
    """Return the whole answer to a request that never reaches the application."""
    body = orjson.dumps(problem_body(problem, ""))
    lines = [f"HTTP/1.1 {problem.status.value} {problem.status.phrase}"]
    lines += [f"{name}: {value}" for name, value in _headers(problem, body).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def answer_problem(
    problem: ProblemError, _scope: Scope, _receive: Receive, send: Send
) -> None:
    """Answer with a problem: the application that a request with a wrong head gets."""
    body = orjson.dumps(problem_body(problem, ""))
    headers = [(name.encode(), value.encode()) for name, value in _headers(problem, body).items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
