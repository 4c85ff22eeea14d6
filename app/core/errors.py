"""The errors of the API: one class tree, one wire format (RFC 9457 problem details)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.routing import Match

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
HTTP_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One invalid part of a request: ``pointer`` is an RFC 6901 JSON pointer into the request."""

    pointer: str
    message: str


class ProblemError(Exception):
    """An error that the caller can act on. Any other exception is a bug and answers 500."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    code: str = "bad_request"

    def __init__(
        self, detail: str, *, code: str | None = None, errors: Sequence[FieldError] = ()
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.errors = errors

    @property
    def headers(self) -> Mapping[str, str]:
        return {}


class BadRequestError(ProblemError):
    pass


class UnauthorizedError(ProblemError):
    status = HTTPStatus.UNAUTHORIZED
    code = "invalid_api_key"

    @property
    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": 'Bearer realm="customer-health"'}


class ForbiddenError(ProblemError):
    status = HTTPStatus.FORBIDDEN
    code = "key_scope"


class NotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"

    def __init__(self, kind: str, key: object) -> None:
        super().__init__(f"No {kind} {key!s} in this workspace.")


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
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_encoding"


class UnsupportedMediaTypeError(ProblemError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media_type"


class UnprocessableError(ProblemError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_input"


class RetryLaterError(ProblemError):
    """The request is valid but cannot be served now; ``Retry-After`` says when to repeat it."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "overloaded"
    retry_after_seconds: ClassVar[int] = 2

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.retry_after_seconds)}


class StorageUnavailableError(RetryLaterError):
    code = "storage_unavailable"


class RateLimitedError(RetryLaterError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "rate_limited"
    retry_after_seconds = 1


def problem_response(request: Request, problem: ProblemError) -> Response:
    """Format an error as problem details. SDKs read ``code`` and ``message``, people ``detail``."""
    body: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.status.phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "message": problem.detail,
        "request_id": request.scope.get("request_id", ""),
    }
    if problem.errors:
        body["errors"] = [{"pointer": e.pointer, "message": e.message} for e in problem.errors]
    return JSONResponse(
        body, status_code=problem.status, media_type=MEDIA_TYPE, headers=dict(problem.headers)
    )


def problem_from_validation(error: RequestValidationError) -> ProblemError:
    """Return 400 for a body that is not JSON, else 422 with a pointer for each invalid part."""
    errors = [
        FieldError(_pointer(entry, error.body), entry["msg"].removeprefix("Value error, "))
        for entry in error.errors()
    ]
    if any(entry["type"] == "json_invalid" for entry in error.errors()):
        return BadRequestError("The body is not valid JSON.", code="invalid_json", errors=errors)
    return UnprocessableError("The input is invalid: see `errors`.", errors=errors)


def _pointer(entry: Mapping[str, Any], body: object) -> str:
    """Return the place of an error; a FilterError adds its own pointer inside of the value."""
    suffix = getattr(entry.get("ctx", {}).get("error"), "pointer", "")
    location, *path = entry["loc"]
    if location == "body" and isinstance(body, dict | list):
        path = _existing_path(path, body, is_missing=entry["type"] == "missing")
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in (location, *path))
    return "/" + "/".join(escaped) + suffix


def _existing_path(path: Sequence[Any], body: Any, *, is_missing: bool) -> list[Any]:  # noqa: ANN401
    """Drop the parts of a path that name a branch of the schema and nothing in the body."""
    existing = []
    for part in path:
        has_part = isinstance(body, dict) and part in body
        if has_part or (isinstance(body, list) and isinstance(part, int) and part < len(body)):
            body = body[part]
            existing.append(part)
    return [*existing, path[-1]] if is_missing else existing


def problem_from_database(error: DBAPIError) -> ProblemError | None:
    """Return 503 for a lost database, 422 for a value out of range, and None for a bug."""
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return StorageUnavailableError(
            "The database cannot be reached; nothing was stored. Try again later."
        )
    if isinstance(error, DataError):
        return UnprocessableError("A value is outside the range that can be stored.")
    return None


class _HttpProblemError(ProblemError):
    """An error of the framework itself, such as an unknown path or a wrong method."""

    def __init__(self, error: HTTPException) -> None:
        self.http_status = HTTPStatus(error.status_code)
        super().__init__(
            f"{self.http_status.description or self.http_status.phrase}.",
            code=self.http_status.phrase.lower().replace(" ", "_"),
        )
        self.extra = error.headers or {}

    @property
    def status(self) -> HTTPStatus:  # type: ignore[override]
        return self.http_status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.extra


def problem_from_exception(error: Exception) -> ProblemError | None:
    """Return the problem to answer with; None if the exception is a bug."""
    match error:
        case ProblemError():
            return error
        case RequestValidationError():
            return problem_from_validation(error)
        case HTTPException():
            return _HttpProblemError(error)
        case PoolTimeoutError():
            return RetryLaterError(
                "Too many concurrent requests; nothing was stored. Try again later."
            )
        case DBAPIError():
            return problem_from_database(error)
    return None


def handle_exception(request: Request, error: Exception) -> Response:
    problem = problem_from_exception(error)
    if problem is None:
        raise error
    response = problem_response(request, problem)
    if problem.status is HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(_allowed_methods(request))
    return response


def _allowed_methods(request: Request) -> list[str]:
    """Match the path against every route: the route that refused knows only its own methods."""
    return [
        method
        for method in HTTP_METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


class _BugError(ProblemError):
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal_error"


def handle_unexpected_error(request: Request, error: Exception) -> Response:
    log.error("request_failed", exc_info=error, path=request.url.path)
    return problem_response(
        request,
        _BugError(
            "An unexpected error occurred on the server; it is in the log with this request_id."
        ),
    )


def install(app: FastAPI) -> None:
    """Register the exception handlers of an app."""
    for exception in (
        ProblemError,
        RequestValidationError,
        HTTPException,
        PoolTimeoutError,
        DBAPIError,
    ):
        app.add_exception_handler(exception, handle_exception)
    app.add_exception_handler(Exception, handle_unexpected_error)
