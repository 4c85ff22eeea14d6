"""Wire types of all packages: values that PostgreSQL can store, base classes, problem schemas."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Self, TypeAlias

from pydantic import (
    AfterValidator,
    AllowInfNan,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from app.core import errors
from app.core.errors import MEDIA_TYPE, FieldError, ProblemError, problem_body
from app.core.months import EARLIEST_DAY, LONGEST_TERM_MONTHS

MAX_COUNT = 2**53
EXAMPLE_REQUEST_ID = "req_5f0c1c5c3a2b4d6e8f90"
MAX_OBJECT_BYTES, MAX_OBJECT_DEPTH = 64 * 1024, 32

# PostgreSQL cannot store NUL.
NO_NUL = r"^[^\x00]*$"
Text = Annotated[
    str, Field(min_length=1, max_length=500, pattern=NO_NUL, examples=["Renewals at risk"])
]
Id = Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL, examples=["acme"])]
IdFilter = Annotated[Id, AfterValidator(str.strip)]
EventName = Annotated[
    str, Field(min_length=1, max_length=200, pattern=NO_NUL, examples=["Message Sent"])
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["USD"])]


def _whole(value: object) -> object:
    """Accept 5.0 as 5: JSON does not distinguish them."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Strict: "5" is not accepted as a number and 1 not as a boolean.
WHOLE_NUMBER = BeforeValidator(_whole)  # must come last, or OpenAPI loses the bounds before it
Count = Annotated[int, Strict(), Field(ge=0, le=MAX_COUNT), WHOLE_NUMBER]
NoticeDays = Annotated[int, Strict(), Field(ge=0, le=3660), WHOLE_NUMBER]
Months = Annotated[int, Strict(), Field(ge=1, le=LONGEST_TERM_MONTHS), WHOLE_NUMBER]
Share = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
Flag = Annotated[bool, Strict()]


def _iso_day(value: object) -> object:
    """Accept only YYYY-MM-DD: pydantic would read a number as seconds since 1970."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise PydanticCustomError("day", "Must be a day in the form YYYY-MM-DD.")


Day = Annotated[date, BeforeValidator(_iso_day)]


def _not_too_early(day: date) -> date:
    if day < EARLIEST_DAY:
        raise PydanticCustomError(
            "early_day",
            "Must be a day from 1900-01-01 on: write the year with four digits, such as 2026.",
        )
    return day


NewDay = Annotated[
    Day,
    AfterValidator(_not_too_early),
    Field(json_schema_extra={"pattern": "^(19|[2-9][0-9])[0-9]{2}-"}, examples=["2026-03-01"]),
]
"""A day that may be stored of a contract, an account, a goal or a task."""


def _iso_timestamp(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Accept only ISO texts: pydantic would read "1700000000" as seconds since 1970."""
    is_iso = isinstance(value, str) and re.match(r"[0-9]{4}-", value)
    if is_iso or isinstance(value, datetime):
        with suppress(ValidationError):
            return check(value)
    raise PydanticCustomError(
        "instant", "Must be a time with a zone (RFC 3339), such as 2026-03-01T12:00:00Z."
    )


Timestamp = Annotated[AwareDatetime, WrapValidator(_iso_timestamp)]

NO_OTHER_KEYS = Field(
    json_schema_extra={"additionalProperties": False}
)  # keys must match the pattern
_Word = Annotated[str, Field(pattern=NO_NUL, examples=["pro"])]
_Finite = Annotated[float, AllowInfNan(allow_inf_nan=False)]
_Members: TypeAlias = "Annotated[dict[_Word, Json], NO_OTHER_KEYS]"
Json = TypeAliasType("Json", "bool | int | _Finite | _Word | list[Json] | _Members | None")


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _small_object(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Limit size and depth; report one error instead of one for each branch of the union."""
    try:
        checked = check(value)
    except ValidationError:
        raise PydanticCustomError(
            "object", "Must be a JSON object with finite numbers and texts without NUL."
        ) from None
    if _depth(checked) > MAX_OBJECT_DEPTH or len(json.dumps(checked)) > MAX_OBJECT_BYTES:
        raise PydanticCustomError(
            "object_size",
            "The object must have at most {bytes} bytes and {depth} levels.",
            {"bytes": MAX_OBJECT_BYTES, "depth": MAX_OBJECT_DEPTH},
        )
    return checked


JsonObject = Annotated[dict[_Word, Json], NO_OTHER_KEYS, WrapValidator(_small_object)]


class RequestModel(BaseModel):
    """Base of request bodies. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class ResponseModel(BaseModel):
    """Base of answers, made of a table row."""

    model_config = ConfigDict(from_attributes=True, defer_build=True)

    @classmethod
    def from_row(cls, row: object, **values: Any) -> Self:  # noqa: ANN401 - of any field
        """Take each field from the row, except those that are given as values."""
        taken = {name: getattr(row, name) for name in cls.model_fields if name not in values}
        return cls.model_validate(taken | values)


class FieldProblem(ResponseModel):
    """One invalid part of the request."""

    pointer: str = Field(
        examples=["/body/mrr_cents"], description="A JSON pointer into the request."
    )
    message: str = Field(examples=["Input should be greater than or equal to 0"])


class Problem(ResponseModel):
    """An error as RFC 9457 problem details. ``code`` is stable; ``message`` repeats ``detail``."""

    type: str = Field(examples=["/problems/not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["No account acme in this workspace."])
    code: str = Field(examples=["not_found"])
    message: str = Field(examples=["No account acme in this workspace."])
    request_id: str = Field(examples=[EXAMPLE_REQUEST_ID])
    errors: list[FieldProblem] = []


PROBLEM_EXAMPLES: Sequence[ProblemError] = (
    errors.BadRequestError("The body is not valid JSON.", code="invalid_json"),
    errors.UnauthorizedError("The API key is unknown: send the complete key."),
    errors.ForbiddenError("This API key does not have the scope admin: use one that has it."),
    errors.NotFoundError("account", "acme"),
    errors.RequestTimeoutError("The body did not arrive within 8 s. Send it again."),
    errors.ConflictError("The API key 0aZ81bQ2xY is revoked or has expired; create a new one."),
    errors.PayloadTooLargeError("The body is larger than the limit of 5242880 bytes."),
    errors.UnsupportedMediaTypeError(),
    errors.UnprocessableError(errors=[FieldError("/body/name", "Input should be a valid string")]),
    errors.RateLimitedError("The key sent more than 1000 events in one second: wait and retry."),
    errors.StorageUnavailableError(),
)
"""The problem in the example of each status."""

AUTH_SCHEMES = ("bearer", "basic")
SECURITY: Sequence[Mapping[str, Any]] = [{f"{scheme}_api_key": []} for scheme in AUTH_SCHEMES]
SDK_TAG = "SDK ingestion"
AUTHENTICATED_PATHS = ("/v1/", "/api/v1/")


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI responses for problems that ``add_problems`` does not find, and for 503."""
    return {status: _problem_response(HTTPStatus(status)) for status in (*statuses, 503)}


def _problem_response(status: HTTPStatus) -> dict[str, Any]:
    [code] = (problem.code for problem in PROBLEM_EXAMPLES if problem.status is status)
    examples = {code: {"$ref": f"#/components/examples/{code}"}}
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {MEDIA_TYPE: {"schema": schema, "examples": examples}}
    return {"description": status.phrase, "content": content}


def _common_problems(path: str, operation: Mapping[str, Any]) -> Iterator[int]:
    """Yield the statuses of the problems that every operation of this form may answer with."""
    if operation["security"]:
        yield from (401, 403, 422)
    if "requestBody" in operation:
        yield from (400, 408, 413, 415)
    if "{" in path or any(each["name"] == "cursor" for each in operation.get("parameters", ())):
        yield 404


def add_problems(document: dict[str, Any]) -> None:
    """Add to OpenAPI what no route declares: common problems and how to send an API key."""
    components = document["components"]
    for model in (Problem, FieldProblem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        components["schemas"][model.__name__] = schema
    components["examples"] = {
        problem.code: {"value": problem_body(problem, EXAMPLE_REQUEST_ID)}
        for problem in PROBLEM_EXAMPLES
    }
    components["securitySchemes"] = {
        f"{scheme}_api_key": {"type": "http", "scheme": scheme} for scheme in AUTH_SCHEMES
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            is_sdk = SDK_TAG in operation.get("tags", ())
            if not is_sdk and not path.startswith(AUTHENTICATED_PATHS):
                continue
            operation.setdefault("security", SECURITY)
            problems = problem_responses(*_common_problems(path, operation))
            responses = operation["responses"] | {str(each): problems[each] for each in problems}
            operation["responses"] = dict(sorted(responses.items()))
    for message in document.get("webhooks", {}).values():
        message["post"]["responses"].pop("422", None)
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own 422
        components["schemas"].pop(unused, None)
