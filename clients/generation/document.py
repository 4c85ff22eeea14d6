"""What the generators read from an OpenAPI document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

JSON = "application/json"
LEFT_OUT_TAGS = {"SDK ingestion"}
"""Operations for SDKs that exist already."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that needs an API key. ``items`` is set if its answer is one page of a list."""

    name: str
    method: str
    path: str
    summary: str
    path_parameters: tuple[Schema, ...]
    query: tuple[Schema, ...]
    takes_key: bool
    body: Mapping[str, Schema]
    body_is_required: bool
    answer: Schema | None
    items: Schema | None


def list_operations(document: Schema) -> list[Operation]:
    return sorted(_operations(document), key=lambda operation: operation.name)


def _operations(document: Schema) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation.get("security") and not LEFT_OUT_TAGS & set(operation["tags"]):
                yield _operation(document, path, method, operation)


def _operation(document: Schema, path: str, method: str, operation: Schema) -> Operation:
    parameters = operation.get("parameters", ())
    body = operation.get("requestBody", {})
    answer = _answer(operation)
    query = tuple(each for each in parameters if each["in"] == "query")
    contents = {kind: each["schema"] for kind, each in body.get("content", {}).items()}
    cursor_is_sent = any(each["name"] == "cursor" for each in query) or (
        "cursor" in properties(document, contents.get(JSON, {}))
    )
    return Operation(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        path_parameters=tuple(each for each in parameters if each["in"] == "path"),
        query=query,
        takes_key=any(each["name"] == "Idempotency-Key" for each in parameters),
        body=contents,
        body_is_required=body.get("required", False),
        answer=answer,
        items=_items(document, answer) if cursor_is_sent and answer else None,
    )


def _answer(operation: Schema) -> Schema | None:
    """Return the schema of the JSON answer; None if the answer is empty."""
    [success] = (each for status, each in operation["responses"].items() if status[0] == "2")
    schema: Schema | None = success.get("content", {}).get(JSON, {}).get("schema")
    return schema


def _items(document: Schema, answer: Schema) -> Schema | None:
    """Return the schema of an item if the list ends: if ``next_cursor`` can be null."""
    fields = properties(document, answer)
    ends = {"type": "null"} in fields.get("next_cursor", {}).get("anyOf", ())
    return fields["items"]["items"] if ends else None


def properties(document: Schema, schema: Schema) -> Mapping[str, Schema]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Schema] = (
        document["components"]["schemas"].get(name, schema).get("properties", {})
    )
    return found
