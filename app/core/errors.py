"""One error tree, one wire format: RFC 9457 problem details."""

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
    """What is wrong where: ``pointer`` is an RFC 6901 JSON pointer into the body."""

    pointer: str
    message: str


class ProblemError(Exception):
    """Something a caller can act on. Anything else is a bug and answers 500."""

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
    """The caller did nothing wrong and should come back in a moment."""

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
    """Write the error; SDKs read ``code`` and ``message``, people ``detail``."""
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
    errors = [
        FieldError(_pointer(entry, error.body), entry["msg"].removeprefix("Value error, "))
        for entry in error.errors()
    ]
    if any(entry["type"] == "json_invalid" for entry in error.errors()):
        return BadRequestError("The body is not JSON.", code="invalid_json", errors=errors)
    return UnprocessableError("Some of the input cannot be used.", errors=errors)


def _pointer(entry: Mapping[str, Any], body: object) -> str:
    """Where in the request, and where inside of that, if the error knows."""
    inside = getattr(entry.get("ctx", {}).get("error"), "pointer", "")
    where, *path = entry["loc"]
    if where == "body" and isinstance(body, dict | list):
        path = _really_there(path, body, is_missing=entry["type"] == "missing")
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in (where, *path))
    return "/" + "/".join(escaped) + inside


def _really_there(path: Sequence[Any], body: Any, *, is_missing: bool) -> list[Any]:  # noqa: ANN401
    """Leave out what names a branch of a schema and nothing in the body."""
    found = []
    for part in path:
        holds = isinstance(body, dict) and part in body
        if holds or (isinstance(body, list) and isinstance(part, int) and part < len(body)):
            body = body[part]
            found.append(part)
    return [*found, path[-1]] if is_missing else found


def problem_from_database(error: DBAPIError) -> ProblemError | None:
    """Tell trouble with the database, which passes, and values it cannot hold from bugs."""
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return StorageUnavailableError("The database cannot be reached; nothing was stored.")
    if isinstance(error, DataError):
        return UnprocessableError("A value is outside of what can be stored.")
    return None


class _HttpProblemError(ProblemError):
    """What the framework itself refuses: an unknown path, a wrong method."""

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
    """Name the problem behind an exception; None for a bug."""
    match error:
        case ProblemError():
            return error
        case RequestValidationError():
            return problem_from_validation(error)
        case HTTPException():
            return _HttpProblemError(error)
        case PoolTimeoutError():
            return RetryLaterError("Too many requests at once; nothing was stored.")
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
    """Ask every route: the one that refused knows only its own methods."""
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
    return problem_response(request, _BugError("Something is wrong on our side."))


def install(app: FastAPI) -> None:
    for kind in (
        ProblemError,
        RequestValidationError,
        HTTPException,
        PoolTimeoutError,
        DBAPIError,
    ):
        app.add_exception_handler(kind, handle_exception)
    app.add_exception_handler(Exception, handle_unexpected_error)
