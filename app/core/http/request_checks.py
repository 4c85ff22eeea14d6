"""Checks of a request that FastAPI does not make: query parameters and the media type."""

from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from typing import get_origin

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params

from app.core.errors import FieldError, UnprocessableError, UnsupportedMediaTypeError


def check_query(request: Request) -> None:
    """Refuse unknown query parameters and repeated ones.

    A filter with a misspelt name would list everything, and of two values it is unclear which one
    counts.
    """
    if not request.url.query:
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
        raise UnprocessableError("The input is invalid: see `errors`.", errors=errors)


def check_media_type(request: Request) -> None:
    """Refuse a body without a JSON content type on a route that reads JSON."""
    if request.scope["route"].body_field is None:
        return
    headers = request.headers
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    kind, _, part = headers.get("content-type", "").partition(";")[0].strip().lower().partition("/")
    is_json = kind == "application" and (part == "json" or part.endswith("+json"))
    if has_body and not is_json:
        raise UnsupportedMediaTypeError(
            "The body must be JSON: send the header Content-Type: application/json."
        )


def _query_error(name: str, count: int, repeatable: Mapping[str, bool]) -> str:
    if name in repeatable:
        return (
            "The parameter is given more than once." if count > 1 and not repeatable[name] else ""
        )
    near = get_close_matches(name, repeatable, n=1)
    return "Unknown parameter" + (f"; did you mean {near[0]!r}?" if near else ".")
