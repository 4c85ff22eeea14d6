"""Checks of a request that FastAPI does not make: query, media type, size and time of a body."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from typing import get_origin

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from starlette.requests import ClientDisconnect

from app.core.errors import (
    BadRequestError,
    FieldError,
    PayloadTooLargeError,
    RequestTimeoutError,
    UnprocessableError,
    UnsupportedMediaTypeError,
)

BODY_TIMEOUT_SECONDS = 8
MAX_LENGTH_DIGITS = 20


class IncompleteBodyError(BadRequestError):
    code = "invalid_json"
    default_detail = "The connection closed before the body was complete. Send the request again."


def check_query(request: Request) -> None:
    """Refuse unknown query parameters and repeated ones.

    A filter with a misspelt name would list everything, and of two values it is unclear which one
    counts.
    """
    if not request.scope["query_string"]:
        return
    repeatable = {
        field.alias: get_origin(field.field_info.annotation) is list
        for field in get_flat_params(request.scope["route"].dependant)  # of dependencies too
        if isinstance(field.field_info, params.Query)
    }
    times = Counter(name for name, _ in request.query_params.multi_items())
    errors = [
        FieldError(f"/query/{name}", message)
        for name, count in times.items()
        if (message := _query_error(name, count, repeatable))
    ]
    if errors:
        raise UnprocessableError(errors=errors)


def check_media_type(request: Request) -> None:
    """Refuse a body without a JSON content type on a route that reads JSON."""
    if request.scope["route"].body_field is None:
        return
    headers = request.headers
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    kind, _, part = headers.get("content-type", "").partition(";")[0].strip().lower().partition("/")
    is_json = kind == "application" and (part == "json" or part.endswith("+json"))
    if has_body and not is_json:
        raise UnsupportedMediaTypeError


def trust_connection(request: Request) -> None:
    """Tell the server that the key is valid: the connection need not make room for others."""
    trust = request.scope.get("trust")
    if trust is not None:
        trust()


def announced_bytes(request: Request) -> int:
    """Return the length of the body that the head announces; 0 if it announces none."""
    length = request.headers.get("content-length", "")
    is_number = length.isascii() and length.isdigit() and len(length) <= MAX_LENGTH_DIGITS
    return int(length) if is_number else 0


async def read_body(request: Request, *, limit: int) -> bytes:
    """Return the whole body; raise a ProblemError if it is too large, too slow or cut off."""
    if announced_bytes(request) > limit:
        raise PayloadTooLargeError(f"The body is larger than the limit of {limit} bytes.")
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > limit:
                    raise PayloadTooLargeError(
                        f"The body is larger than the limit of {limit} bytes."
                    )
    except TimeoutError:
        raise RequestTimeoutError(
            f"The body did not arrive within {BODY_TIMEOUT_SECONDS} s. Send it again."
        ) from None
    except ClientDisconnect:
        raise IncompleteBodyError from None
    return bytes(raw)


def _query_error(name: str, count: int, repeatable: Mapping[str, bool]) -> str:
    if name in repeatable:
        return (
            f"The parameter {name} may be given only once."
            if count > 1 and not repeatable[name]
            else ""
        )
    near = get_close_matches(name, repeatable, n=1)
    return "Unknown parameter" + (f"; did you mean {near[0]!r}?" if near else ".")
