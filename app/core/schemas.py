"""What every package's wire has in common: problems, and values that PostgreSQL can hold."""

import json
import re
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Self, TypeAlias

from fastapi import FastAPI
from pydantic import (
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

from app.core.errors import MEDIA_TYPE

MAX_COUNT = 2**53
MAX_OBJECT_BYTES, MAX_OBJECT_DEPTH = 64 * 1024, 32

# No NUL anywhere: PostgreSQL has no place for it.
NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL)]
Id = Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL, examples=["acme"])]
EventName = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["USD"])]


def _whole(value: object) -> object:
    """Take 5.0 for 5, as JSON does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Strict: a text is no number and a number no truth value.
WHOLE_NUMBER = BeforeValidator(_whole)  # comes last, else the bounds before it are not documented
Count = Annotated[int, Strict(), Field(ge=0, le=MAX_COUNT), WHOLE_NUMBER]
NoticeDays = Annotated[int, Strict(), Field(ge=0, le=3660), WHOLE_NUMBER]
Flag = Annotated[bool, Strict()]


def _iso_day(value: object) -> object:
    """Keep pydantic from reading numbers as seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise PydanticCustomError("day", "A day is wanted: YYYY-MM-DD.")
    if not isinstance(value, str | date):
        raise PydanticCustomError("day", "A day is wanted: YYYY-MM-DD.")
    return value


Day = Annotated[date, BeforeValidator(_iso_day)]


def _written(value: object) -> object:
    """Keep pydantic from reading numbers as seconds since 1970, also those in a text."""
    is_written = isinstance(value, str) and re.match(r"[0-9]{4}-", value)
    if not is_written and not isinstance(value, datetime):
        raise PydanticCustomError("instant", "A time with its zone is wanted, as RFC 3339.")
    return value


Timestamp = Annotated[AwareDatetime, BeforeValidator(_written)]

NAMED = Field(json_schema_extra={"additionalProperties": False})  # a name with NUL is none
_Word = Annotated[str, Field(pattern=NO_NUL)]
_Finite = Annotated[float, AllowInfNan(allow_inf_nan=False)]
_Members: TypeAlias = "Annotated[dict[_Word, Json], NAMED]"
Json = TypeAliasType("Json", "bool | int | _Finite | _Word | list[Json] | _Members | None")


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _small_object(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Say in one sentence what no branch of the union could take."""
    try:
        found = check(value)
    except ValidationError:
        raise PydanticCustomError(
            "object", "An object of JSON values is wanted: finite numbers, texts without NUL."
        ) from None
    if _depth(found) > MAX_OBJECT_DEPTH or len(json.dumps(found)) > MAX_OBJECT_BYTES:
        raise PydanticCustomError(
            "object_size",
            "At most {bytes} bytes and {depth} levels are stored.",
            {"bytes": MAX_OBJECT_BYTES, "depth": MAX_OBJECT_DEPTH},
        )
    return found


JsonObject = Annotated[dict[_Word, Json], NAMED, WrapValidator(_small_object)]


class RequestModel(BaseModel):
    """What a caller sends: nothing that we would not read."""

    model_config = ConfigDict(extra="forbid")


class ResponseModel(BaseModel):
    """What we answer, made of a table's row."""

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def from_row(cls, row: object, **said: Any) -> Self:  # noqa: ANN401 - of any field
        """Take each field from the row, but for those that are said."""
        taken = {name: getattr(row, name) for name in cls.model_fields if name not in said}
        return cls.model_validate(taken | said)


class FieldProblem(BaseModel):
    """One thing that is wrong, and where."""

    pointer: str = Field(examples=["/body/mrr_cents"], description="A JSON pointer.")
    message: str = Field(examples=["Input should be greater than or equal to 0"])


class Problem(BaseModel):
    """An error as RFC 9457 problem details; SDKs read ``code`` and ``message``."""

    type: str = Field(examples=["/problems/not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["No account acme in this workspace."])
    code: str = Field(examples=["not_found"])
    message: str = Field(examples=["No account acme in this workspace."])
    request_id: str = Field(examples=["req_5f0c1c5c3a2b4d6e8f90"])
    errors: list[FieldProblem] = []


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document the problems that a route can answer with; 503 is among them always."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in (*statuses, 503)
    }


UNSUPPORTED_MEDIA_TYPE = problem_responses(415)[415]
AUTH_SCHEMES = ("bearer", "basic")
AUTHENTICATED_PATHS = ("/v1/", "/api/v1/")


def install(app: FastAPI) -> None:
    """Put what no route declares into the app's OpenAPI: problems, and how a key is sent."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        for model in (Problem, FieldProblem):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schema.pop("$defs", None)
            document["components"]["schemas"][model.__name__] = schema
        document["components"]["securitySchemes"] = {
            f"{scheme}_api_key": {"type": "http", "scheme": scheme} for scheme in AUTH_SCHEMES
        }
        for path, operations in document["paths"].items():
            if path.startswith(AUTHENTICATED_PATHS):
                for operation in operations.values():
                    keyed: list[dict[str, list[str]]]
                    keyed = [{f"{scheme}_api_key": []} for scheme in AUTH_SCHEMES]
                    operation.setdefault("security", keyed)
                    if "requestBody" in operation:
                        operation["responses"].setdefault("415", UNSUPPORTED_MEDIA_TYPE)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way
