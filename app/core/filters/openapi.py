"""Describe the filter language in OpenAPI: the fields and the values that each accepts."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

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
RELATIVE_DAYS: Sequence[Schema] = [
    {
        "type": "object",
        "properties": {name: {"type": "integer", "minimum": 0, "maximum": MAX_DAYS}},
        "required": [name],
        "additionalProperties": False,
    }
    for name in ("days_ago", "days_ahead")
]
VALUE_SCHEMAS: Mapping[FieldType | None, Schema] = {
    FieldType.TEXT: {**TEXT, "examples": ["acme"]},
    FieldType.NUMBER: {**NUMBER, "examples": [100]},
    FieldType.BOOLEAN: {**BOOLEAN, "examples": [True]},
    FieldType.DAY: {
        "anyOf": [{"type": "string", "format": "date"}, *RELATIVE_DAYS],
        "examples": ["2026-03-01"],
    },
    None: {"anyOf": [TEXT, NUMBER, BOOLEAN, *RELATIVE_DAYS], "examples": ["acme"]},
}
ORDERED_VALUE: Schema = {"anyOf": [TEXT, NUMBER, *RELATIVE_DAYS], "examples": [100]}
CONDITION_LIST: Schema = {"type": "array", "minItems": 1, "maxItems": MAX_CONDITIONS}
VALUE_LIST: Schema = {"type": "array", "minItems": 1, "maxItems": MAX_VALUES}


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields that accept the same values; a name may end in ``.*``."""

    title: str
    names: Sequence[str]
    type: FieldType | None
    value: Schema


@dataclass(frozen=True, slots=True)
class FilterLanguage:
    """The fields of a filter, as for ``parse_filter``, and the name of its schema."""

    name: str
    fields: Mapping[str, FieldType]
    example: Mapping[str, Any]
    open_prefixes: Collection[str] = ("traits.",)
    choices: Mapping[str, Collection[str]] = field(default_factory=dict)

    def groups(self) -> list[FieldGroup]:
        """Group fields by type; a field with choices and the open prefixes have own groups."""
        groups = [
            FieldGroup(
                field.title().replace(".", "").replace("_", ""),
                [field],
                self.fields[field],
                {"type": "string", "enum": list(texts)},
            )
            for field, texts in self.choices.items()
        ]
        for type_ in FieldType:
            names = [name for name in self.fields if self.fields[name] is type_]
            names = [name for name in names if name not in self.choices]
            groups.append(FieldGroup(type_.title(), names, type_, VALUE_SCHEMAS[type_]))
        names = [f"{prefix}*" for prefix in self.open_prefixes]
        groups.append(FieldGroup("AnyType", names, None, VALUE_SCHEMAS[None]))
        return [group for group in groups if group.names]


def filter_marker(name: str) -> Schema:
    """Mark the schema of a body or query field; ``add_filter`` replaces it by a filter schema."""
    return {FILTER_MARKER: name}


def add_filter(document: Schema, language: FilterLanguage) -> None:
    """Replace every marker of a language in an OpenAPI document by a reference to its schema."""
    _replace_markers(document, language)
    document["components"]["schemas"] |= filter_schemas(language)


def filter_schemas(language: FilterLanguage) -> dict[str, Schema]:
    """Return the JSON Schemas of a language by name: the filter, then each of its forms."""
    groups = language.groups()
    this = _reference(language.name)
    forms = {
        "Shorthand": _shorthand(groups),
        "And": _object({"and": {**CONDITION_LIST, "items": this}}),
        "Or": _object({"or": {**CONDITION_LIST, "items": this}}),
        "Not": _object({"not": this}),
        **{f"{group.title}Condition": _condition(group) for group in groups},
    }
    named = {f"{language.name}{form}": schema for form, schema in forms.items()}
    union = {"anyOf": [_reference(name) for name in named], "examples": [language.example]}
    return {language.name: union, **named}


def _shorthand(groups: Sequence[FieldGroup]) -> Schema:
    values = {
        name: {"anyOf": [group.value, _list_of(group.value), {"type": "null"}]}
        for group in groups
        for name in group.names
    }
    return {
        "type": "object",
        "description": "Fields and their values: one, one of several, or null if it is unknown.",
        "properties": {name: value for name, value in values.items() if name[-1] != "*"},
        "patternProperties": {
            _prefix_pattern(n): value for n, value in values.items() if n[-1] == "*"
        },
        "additionalProperties": False,
        "examples": [dict(map(_example, groups[:2]))],
    }


def _condition(group: FieldGroup) -> Schema:
    """Return the schema of a condition on a field of the group: the values that each op takes."""
    values = dict(_values_by_ops(group))
    forms = [
        {"properties": {"op": _enum_of(ops), "value": value}, "required": ["op"]}
        for ops, value in values.items()
    ]
    del forms[0]["required"]  # without an op it is eq
    name, example = _example(group)
    properties = {"field": _field_schema(group.names), "op": _enum_of(chain(*values)), "value": {}}
    return {
        **_object(properties, "op"),
        "anyOf": forms,
        "examples": [{"field": name, "op": "eq", "value": example}],
    }


def _example(group: FieldGroup) -> tuple[str, Any]:
    """Return a field of a group and a value that it accepts."""
    values = group.value["enum" if "enum" in group.value else "examples"]
    return group.names[0].replace("*", "name"), values[0]


def _values_by_ops(group: FieldGroup) -> Iterator[tuple[Collection[Op], Schema]]:
    yield (Op.EQ, Op.NE), group.value
    yield LIST_OPS, _list_of(group.value)
    yield (Op.IS_NULL,), BOOLEAN
    if "enum" in group.value:
        return
    if group.type in {FieldType.TEXT, None}:
        yield SUBSTRING_OPS, VALUE_SCHEMAS[FieldType.TEXT]
    if group.type is not FieldType.BOOLEAN:
        yield ORDER_OPS, group.value if group.type else ORDERED_VALUE


def _object(properties: Schema, *optional: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _list_of(value: Schema) -> Schema:
    return {**VALUE_LIST, "items": value}


def _enum_of(ops: Iterable[Op]) -> Schema:
    return {"type": "string", "enum": sorted(op.value for op in ops)}


def _field_schema(names: Sequence[str]) -> Schema:
    exact = [name for name in names if name[-1] != "*"]
    patterns = [
        {"type": "string", "pattern": _prefix_pattern(name), "examples": [f"{name[:-1]}name"]}
        for name in names
        if name[-1] == "*"
    ]
    return {"anyOf": [*([{"type": "string", "enum": exact}] if exact else []), *patterns]}


def _prefix_pattern(name: str) -> str:
    return f"^{re.escape(name[:-1])}[^\\x00]{{1,200}}$"


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _replace_markers(node: Any, language: FilterLanguage) -> None:  # noqa: ANN401 - any part
    """Replace markers in place; a query parameter becomes one whose content is JSON."""
    if isinstance(node, dict):
        if node.get("in") == "query" and node.get("schema", {}).get(FILTER_MARKER) == language.name:
            node.pop("schema")
            content = {"schema": _reference(language.name), "example": language.example}
            node["content"] = {"application/json": content}
        elif node.pop(FILTER_MARKER, None) == language.name:
            texts = {key: node[key] for key in ("description", "examples", "title") if key in node}
            node.clear()
            node.update({"allOf": [_reference(language.name)], **texts})
    for inner in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        _replace_markers(inner, language)
