"""The errors of the API: one class tree, one wire format (RFC 9457 problem details)."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from app.core.allowed_methods import allowed_methods
from app.core.json_pointer import request_pointer
from app.core.logs import get_logger
from app.core.outages import UnknownCommitError, is_outage

log = get_logger()

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One invalid part of a request: ``pointer`` is an RFC 6901 JSON pointer into the request."""

    pointer: str
    message: str


class ProblemError(Exception):
    """An error that the caller can act on. Any other exception is a bug and answers 500."""

    status = HTTPStatus.BAD_REQUEST
    code: str = "bad_request"
    default_detail: str
    headers: Mapping[str, str] = {}

    def __init__(
        self, detail: str = "", *, code: str | None = None, errors: Sequence[FieldError] = ()
    ) -> None:
        self.detail = detail or self.default_detail
        super().__init__(self.detail)
        self.code = code or self.code
        self.errors = errors


class BadRequestError(ProblemError):
    pass


class UnauthorizedError(ProblemError):
    status = HTTPStatus.UNAUTHORIZED
    code = "invalid_api_key"
    headers: Mapping[str, str] = {"WWW-Authenticate": 'Bearer realm="customer-health"'}


class ForbiddenError(ProblemError):
    status = HTTPStatus.FORBIDDEN
    code = "key_scope"


class NotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"

    def __init__(self, kind: str, key: object, *, in_workspace: bool = True) -> None:
        where = " in this workspace" if in_workspace else ""
        super().__init__(f"No {kind} {key!s}{where}.")


class RequestTimeoutError(ProblemError):
    status = HTTPStatus.REQUEST_TIMEOUT
    code = "body_too_slow"


class ConflictError(ProblemError):
    status = HTTPStatus.CONFLICT
    code = "conflict"


class PayloadTooLargeError(ProblemError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "payload_too_large"


class UnsupportedEncodingError(ProblemError):
    """The body is encoded in another way than plain or one of ``encodings``."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_encoding"

    def __init__(self, *encodings: str) -> None:
        accepted = ", ".join(encodings)
        super().__init__(f"The Content-Encoding must be identity or one of: {accepted}.")
        self.headers = {"Accept-Encoding": accepted}


class UnsupportedMediaTypeError(ProblemError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media_type"
    default_detail = "The body must be JSON: send the header Content-Type: application/json."
    headers: Mapping[str, str] = {"Accept": "application/json"}


class UnprocessableError(ProblemError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_input"
    default_detail = "The input is invalid: see `errors`."


class RetryLaterError(ProblemError):
    """The request is valid but cannot be served now; ``Retry-After`` says when to repeat it."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "overloaded"
    default_detail = "Too many concurrent requests; nothing was stored. Try again later."
    headers: Mapping[str, str] = {"Retry-After": "2"}

    def __init__(self, detail: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        if retry_after is not None:
            self.headers = {"Retry-After": str(retry_after)}


class StorageUnavailableError(RetryLaterError):
    """The database is away, often for most of a minute.

    SDKs count their attempts, and wait as long as the answer says: a long time lets them outlast
    a restart, and a random one spreads their return.
    """

    code = "storage_unavailable"
    default_detail = "The database cannot be reached; nothing was stored. Try again later."
    seconds = range(20, 31)

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, retry_after=random.choice(self.seconds))  # noqa: S311


class OutcomeUnknownError(StorageUnavailableError):
    """The connection was lost while the commit was under way: only a repetition can tell."""

    code = "outcome_unknown"
    default_detail = (
        "The connection to the database was lost during the commit: the request may have been"
        " stored. Repeat it unchanged; a POST with the same Idempotency-Key is carried out once."
    )


class RateLimitedError(RetryLaterError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "rate_limited"
    headers: Mapping[str, str] = {"Retry-After": "1"}


class _BugError(ProblemError):
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal_error"
    default_detail = (
        "An unexpected error occurred on the server. Report the request_id: the log has the error."
    )


class _HttpProblemError(ProblemError):
    """An error of the framework itself, such as an unknown path or a wrong method."""

    def __init__(self, error: HTTPException) -> None:
        self.status = HTTPStatus(error.status_code)
        self.headers = error.headers or {}
        phrase = self.status.phrase
        super().__init__(
            f"{self.status.description or phrase}.", code=phrase.lower().replace(" ", "_")
        )


def problem_body(problem: ProblemError, request_id: str) -> dict[str, Any]:
    """Format an error as problem details. SDKs read ``code`` and ``message``, people ``detail``."""
    body: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.status.phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "message": problem.detail,
        "request_id": request_id,
    }
    if problem.errors:
        body["errors"] = [{"pointer": e.pointer, "message": e.message} for e in problem.errors]
    return body


def problem_response(request: Request, problem: ProblemError) -> Response:
    return JSONResponse(
        problem_body(problem, request.scope.get("request_id", "")),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=dict(problem.headers),
    )


def problem_from_validation(error: RequestValidationError) -> ProblemError:
    """Return 400 for a body that is not JSON, else 422 with a pointer for each invalid part."""
    errors = [
        FieldError(request_pointer(entry, error.body), entry["msg"].removeprefix("Value error, "))
        for entry in error.errors()
    ]
    if any(entry["type"] == "json_invalid" for entry in error.errors()):
        return BadRequestError("The body is not valid JSON.", code="invalid_json", errors=errors)
    return UnprocessableError(errors=errors)


def problem_from_http(error: HTTPException) -> ProblemError:
    """Return the problem that was raised while FastAPI read the body, else the framework's own."""
    cause = error.__cause__
    return cause if isinstance(cause, ProblemError) else _HttpProblemError(error)


def reason(error: DBAPIError) -> str:
    """Return the first line of the driver's message: the server's details may hold values."""
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__


def problem_from_database(error: DBAPIError) -> ProblemError | None:
    """Return 503 for a lost database, 422 for a value out of range, and None for a bug."""
    if isinstance(error, UnknownCommitError):
        return OutcomeUnknownError()
    if is_outage(error):
        return StorageUnavailableError()
    if isinstance(error, DataError):
        return UnprocessableError(
            "A number, day or text is outside the range that the database can store: send smaller"
            " values."
        )
    return None


def problem_from_exception(error: Exception) -> ProblemError | None:
    """Return the problem that answers a request which raised; None if the exception is a bug."""
    match error:
        case ProblemError():
            return error
        case RequestValidationError():
            return problem_from_validation(error)
        case HTTPException():
            return problem_from_http(error)
        case PoolTimeoutError():
            return RetryLaterError()
        case DBAPIError():
            return problem_from_database(error)
    return None


def handle_exception(request: Request, error: Exception) -> Response:
    problem = problem_from_exception(error)
    if problem is None:
        raise error
    if problem.status is HTTPStatus.SERVICE_UNAVAILABLE:
        why = reason(error) if isinstance(error, DBAPIError) else problem.detail
        request.app.state.outages.report(code=problem.code, reason=why)
    response = problem_response(request, problem)
    if problem.status is HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(allowed_methods(request))
    return response


def handle_unexpected_error(request: Request, error: Exception) -> Response:
    route = getattr(request.scope.get("route"), "path", "unknown")  # the path itself has ids
    log.error("request_failed", exc_info=error, method=request.method, route=route)
    response = problem_response(request, _BugError())
    if request_id := request.scope.get("request_id"):  # the middleware for it has ended
        response.headers["x-request-id"] = request_id
    return response


def install(app: FastAPI) -> None:
    """Register the exception handlers of an app, which logs 503 in ``state.outages``."""
    for exception in (
        ProblemError,
        RequestValidationError,
        HTTPException,
        PoolTimeoutError,
        DBAPIError,
    ):
        app.add_exception_handler(exception, handle_exception)
    app.add_exception_handler(Exception, handle_unexpected_error)
