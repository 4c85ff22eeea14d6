"""Describe the filter language in OpenAPI: the fields and the values that each accepts."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from app.core.filters.parser import (
    LIST_OPS,
    MAX_CONDITIONS,
    MAX_DAYS,
    MAX_NUMBER,
    MAX_TEXT_LENGTH,
    MAX_VALUES,
    ORDER_OPS,
    SUBSTRING_OPS,
)
from app.core.filters.tree import FieldType, Op

Schema = dict[str, Any]

FILTER_MARKER = "x-filter-of"
TEXT: Schema = {"type": "string", "maxLength": MAX_TEXT_LENGTH, "pattern": r"^[^\x00]*$"}
NUMBER: Schema = {"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER}
BOOLEAN: Schema = {"type": "boolean"}
RELATIVE_DAY: Schema = {
    "anyOf": [
        {
            "type": "object",
            "properties": {name: {"type": "integer", "minimum": 0, "maximum": MAX_DAYS}},
            "required": [name],
            "additionalProperties": False,
        }
        for name in ("days_ago", "days_ahead")
    ]
}
VALUE_SCHEMAS: Mapping[FieldType | None, Schema] = {
    FieldType.TEXT: TEXT,
    FieldType.NUMBER: NUMBER,
    FieldType.BOOLEAN: BOOLEAN,
    FieldType.DAY: {"anyOf": [{"type": "string", "format": "date"}, *RELATIVE_DAY["anyOf"]]},
    None: {"anyOf": [TEXT, NUMBER, BOOLEAN, *RELATIVE_DAY["anyOf"]]},
}
ORDERED_VALUE: Schema = {"anyOf": [TEXT, NUMBER, *RELATIVE_DAY["anyOf"]]}
CONDITION_LIST: Schema = {"type": "array", "minItems": 1, "maxItems": MAX_CONDITIONS}
VALUE_LIST: Schema = {"type": "array", "minItems": 1, "maxItems": MAX_VALUES}


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields that accept the same values; a name may end in ``.*``."""

    names: Sequence[str]
    type: FieldType | None
    value: Schema


def filter_marker(name: str) -> Schema:
    """Mark the schema of a body or query field; ``install`` replaces it by the filter schema."""
    return {FILTER_MARKER: name}


def install(
    app: FastAPI,
    name: str,
    fields: Mapping[str, FieldType],
    *,
    open_prefixes: Collection[str] = ("traits.",),
    choices: Mapping[str, Collection[str]],
) -> None:
    """Replace every marker ``name`` in the app's OpenAPI by a reference to the filter schema."""
    generate = app.openapi

    def openapi() -> Schema:
        document = generate()
        components = document["components"]["schemas"]
        if name not in components:
            _replace_markers(document, name)
            components[name] = filter_schema(name, group_fields(fields, open_prefixes, choices))
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def group_fields(
    fields: Mapping[str, FieldType],
    open_prefixes: Collection[str],
    choices: Mapping[str, Collection[str]],
) -> list[FieldGroup]:
    """Group fields by type; a field with choices and the open prefixes have their own groups."""
    groups = [
        FieldGroup([name], fields[name], {"enum": list(texts)}) for name, texts in choices.items()
    ]
    for type_ in FieldType:
        names = [name for name in fields if fields[name] is type_ and name not in choices]
        groups.append(FieldGroup(names, type_, VALUE_SCHEMAS[type_]))
    groups.append(FieldGroup([f"{prefix}*" for prefix in open_prefixes], None, VALUE_SCHEMAS[None]))
    return [group for group in groups if group.names]


def filter_schema(name: str, groups: Sequence[FieldGroup]) -> Schema:
    """Return the JSON Schema of filters with these fields."""
    this = {"$ref": f"#/components/schemas/{name}"}
    joined = [_object({key: {**CONDITION_LIST, "items": this}}) for key in ("and", "or")]
    conditions = [condition for group in groups for condition in _conditions(group)]
    return {"anyOf": [_shorthand(groups), *joined, _object({"not": this}), *conditions]}


def _shorthand(groups: Sequence[FieldGroup]) -> Schema:
    values = {
        name: {"anyOf": [group.value, _list_of(group.value), {"type": "null"}]}
        for group in groups
        for name in group.names
    }
    return {
        "type": "object",
        "properties": {name: value for name, value in values.items() if name[-1] != "*"},
        "patternProperties": {
            _prefix_pattern(n): value for n, value in values.items() if n[-1] == "*"
        },
        "additionalProperties": False,
    }


def _conditions(group: FieldGroup) -> Iterator[Schema]:
    field = {"anyOf": [_name_schema(name) for name in group.names]}
    yield _object({"field": field, "op": _enum_of([Op.EQ, Op.NE]), "value": group.value}, "op")
    yield _object({"field": field, "op": _enum_of(LIST_OPS), "value": _list_of(group.value)})
    yield _object({"field": field, "op": _enum_of([Op.IS_NULL]), "value": BOOLEAN})
    if "enum" in group.value:
        return
    if group.type in {FieldType.TEXT, None}:
        yield _object({"field": field, "op": _enum_of(SUBSTRING_OPS), "value": TEXT})
    if group.type is not FieldType.BOOLEAN:
        value = VALUE_SCHEMAS[group.type] if group.type else ORDERED_VALUE
        yield _object({"field": field, "op": _enum_of(ORDER_OPS), "value": value})


def _object(properties: Schema, *optional: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _list_of(value: Schema) -> Schema:
    return {**VALUE_LIST, "items": value}


def _enum_of(ops: Collection[Op]) -> Schema:
    return {"enum": sorted(op.value for op in ops)}


def _name_schema(name: str) -> Schema:
    return (
        {"type": "string", "pattern": _prefix_pattern(name)} if name[-1] == "*" else {"const": name}
    )


def _prefix_pattern(name: str) -> str:
    return f"^{re.escape(name[:-1])}[^\\x00]{{1,200}}$"


def _replace_markers(node: Any, name: str) -> None:  # noqa: ANN401 - any part of the document
    """Replace markers in place; a query parameter becomes one whose content is JSON."""
    this = {"$ref": f"#/components/schemas/{name}"}
    if isinstance(node, dict):
        if node.get("in") == "query" and node.get("schema", {}).get(FILTER_MARKER) == name:
            node.pop("schema")
            node["content"] = {"application/json": {"schema": this}}
        elif node.pop(FILTER_MARKER, None) == name:
            texts = {key: node[key] for key in ("description", "examples", "title") if key in node}
            node.clear()
            node.update({"allOf": [this], **texts})
    for inner in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        _replace_markers(inner, name)
