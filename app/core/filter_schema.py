"""The filter language in OpenAPI: which fields there are, and what each can be compared with."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from app.core.filter_reader import (
    LARGEST_NUMBER,
    LISTS,
    LONGEST_TEXT,
    MOST_CONDITIONS,
    MOST_DAYS,
    MOST_VALUES,
    ORDERS,
    PARTS,
)
from app.core.filter_tree import Kind, Op

Schema = dict[str, Any]

MARK = "x-filter-of"
TEXT: Schema = {"type": "string", "maxLength": LONGEST_TEXT, "pattern": r"^[^\x00]*$"}
NUMBER: Schema = {"type": "number", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER}
BOOLEAN: Schema = {"type": "boolean"}
MOVING: Schema = {
    "anyOf": [
        {
            "type": "object",
            "properties": {name: {"type": "integer", "minimum": 0, "maximum": MOST_DAYS}},
            "required": [name],
            "additionalProperties": False,
        }
        for name in ("days_ago", "days_ahead")
    ]
}
VALUES: Mapping[Kind | None, Schema] = {
    Kind.TEXT: TEXT,
    Kind.NUMBER: NUMBER,
    Kind.BOOLEAN: BOOLEAN,
    Kind.DAY: {"anyOf": [{"type": "string", "format": "date"}, *MOVING["anyOf"]]},
    None: {"anyOf": [TEXT, NUMBER, BOOLEAN, *MOVING["anyOf"]]},
}
ORDERED: Schema = {"anyOf": [TEXT, NUMBER, *MOVING["anyOf"]]}
PARTS_LISTED: Schema = {"type": "array", "minItems": 1, "maxItems": MOST_CONDITIONS}
VALUES_LISTED: Schema = {"type": "array", "minItems": 1, "maxItems": MOST_VALUES}


@dataclass(frozen=True, slots=True)
class Alike:
    """Fields that are compared with the same values; a name may end in ``.*``."""

    names: Sequence[str]
    kind: Kind | None
    value: Schema


def marked(name: str) -> Schema:
    """Mark a filter in a body or a query, for ``install`` to put the language in its place."""
    return {MARK: name}


def install(
    app: FastAPI,
    name: str,
    fields: Mapping[str, Kind],
    *,
    open_prefixes: Collection[str] = ("traits.",),
    choices: Mapping[str, Collection[str]],
) -> None:
    """Put a language into the app's OpenAPI wherever it is marked."""
    plain = app.openapi

    def openapi() -> Schema:
        document = plain()
        components = document["components"]["schemas"]
        if name not in components:
            _put(document, name)
            components[name] = schema(name, alike(fields, open_prefixes, choices))
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def alike(
    fields: Mapping[str, Kind],
    open_prefixes: Collection[str],
    choices: Mapping[str, Collection[str]],
) -> list[Alike]:
    found = [Alike([name], fields[name], {"enum": list(said)}) for name, said in choices.items()]
    for kind in Kind:
        names = [name for name, of in fields.items() if of is kind and name not in choices]
        found.append(Alike(names, kind, VALUES[kind]))
    found.append(Alike([f"{prefix}*" for prefix in open_prefixes], None, VALUES[None]))
    return [each for each in found if each.names]


def schema(name: str, groups: Sequence[Alike]) -> Schema:
    """Say the language in JSON Schema."""
    this = {"$ref": f"#/components/schemas/{name}"}
    joints = [_object({joint: {**PARTS_LISTED, "items": this}}) for joint in ("and", "or")]
    conditions = [condition for group in groups for condition in _conditions(group)]
    return {"anyOf": [_shorthand(groups), *joints, _object({"not": this}), *conditions]}


def _shorthand(groups: Sequence[Alike]) -> Schema:
    values = {
        name: {"anyOf": [group.value, _listed(group.value), {"type": "null"}]}
        for group in groups
        for name in group.names
    }
    return {
        "type": "object",
        "properties": {name: value for name, value in values.items() if name[-1] != "*"},
        "patternProperties": {_begins(n): value for n, value in values.items() if n[-1] == "*"},
        "additionalProperties": False,
    }


def _conditions(group: Alike) -> Iterator[Schema]:
    named = {"anyOf": [_name(name) for name in group.names]}
    yield _object({"field": named, "op": _one_of([Op.EQ, Op.NE]), "value": group.value}, "op")
    yield _object({"field": named, "op": _one_of(LISTS), "value": _listed(group.value)})
    yield _object({"field": named, "op": _one_of([Op.IS_NULL]), "value": BOOLEAN})
    if "enum" in group.value:
        return
    if group.kind in {Kind.TEXT, None}:
        yield _object({"field": named, "op": _one_of(PARTS), "value": TEXT})
    if group.kind is not Kind.BOOLEAN:
        value = VALUES[group.kind] if group.kind else ORDERED
        yield _object({"field": named, "op": _one_of(ORDERS), "value": value})


def _object(properties: Schema, *optional: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _listed(value: Schema) -> Schema:
    return {**VALUES_LISTED, "items": value}


def _one_of(ops: Collection[Op]) -> Schema:
    return {"enum": sorted(op.value for op in ops)}


def _name(name: str) -> Schema:
    return {"type": "string", "pattern": _begins(name)} if name[-1] == "*" else {"const": name}


def _begins(name: str) -> str:
    return f"^{re.escape(name[:-1])}[^\\x00]{{1,200}}$"


def _put(node: Any, name: str) -> None:  # noqa: ANN401 - any part of the document
    """Replace what is marked; a parameter becomes one whose content is JSON."""
    this = {"$ref": f"#/components/schemas/{name}"}
    if isinstance(node, dict):
        if node.get("in") == "query" and node.get("schema", {}).get(MARK) == name:
            node.pop("schema")
            node["content"] = {"application/json": {"schema": this}}
        elif node.pop(MARK, None) == name:
            kept = {key: node[key] for key in ("description", "examples", "title") if key in node}
            node.clear()
            node.update({"allOf": [this], **kept})
    for inner in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        _put(inner, name)
