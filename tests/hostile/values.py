"""Hostile values, as JSON text and as text of a URL, and the limits that a schema names."""

import copy
import json
from collections.abc import Iterator
from typing import Any, cast

from tests.test_openapi import DOCUMENT

Schema = dict[str, Any]

DEEP, LONG = 4000, 1000
DAYS = {"date": "2026-03-01", "date-time": "2026-03-01T12:00:00Z"}
FRAGMENTS = (
    *("null", "true", "0", "-1", "1.5", "-0.0", "1e400", "-1e400", "1e308", "5e-324"),
    *("NaN", "Infinity", "-Infinity", "2147483648", "9007199254740993", "9223372036854775808"),
    *("-9223372036854775809", "1" * 400, "1" * 5000, "[]", "{}", "[null]", "[[]]", '[{"": 0}]'),
    *('{"a": 1, "a": 2}', '{"$ref": "#/components/schemas/Problem"}', '{"__class__": "x"}'),
    "[" * DEEP + "]" * DEEP,
    '{"a":' * 100 + "1" + "}" * 100,
    json.dumps(list(range(3000))),
    json.dumps({f"k{number}": "v" for number in range(2000)}),
    *map(
        json.dumps,
        (
            *("", " ", "\n", "\x00", "a\x00b", "\x1b[31m\x7f", "\u202ea", "\ufeff", "\ufffe"),
            *("e\u0301", "\u0130", "😀" * 300, "x" * 256, "x" * 70_000, "-1", "1e5", "0x10", "NaN"),
            *("0001-01-01", "9999-12-31", "2026-02-30", "0000-00-00", "+10000-01-01"),
            *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+23:59"),
            *("9999-12-31T23:59:59-23:59", "2026-03-01T12:00:00+99:99", "1772366400", "PT1S"),
            *("'; DROP TABLE account;--", "%s%(x)s%n{0.__class__}", "../../etc/passwd", "$[*]"),
            *("<script>alert(1)</script>", "=1+1", "file:///etc/passwd", "http://[::1]:0/", "¼"),
        ),
    ),
    *('"\\ud800"', '"\\udfff\\ud800x"', '"\\u0000\\ud800"'),
)
"""One JSON value each, also those that no JSON library writes."""

TEXTS = (
    *(
        str(json.loads(each)).encode("utf-8", "surrogatepass")
        for each in FRAGMENTS
        if len(each) < LONG
    ),
    *(b"\xff\xfe", b"\xc0\x80", b"%", b"%zz", b"%00", b"+", b"a&b=c", b"#", b";", b"\r\nx: y"),
)
"""The same as bytes of a path, a query or a header, not encoded yet."""


def resolve(schema: Schema) -> Schema:
    """Follow references and take the first choice that is not null."""
    while True:
        name = schema.get("$ref", "").rpartition("/")[2]
        choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
        if name:
            schema = DOCUMENT["components"]["schemas"][name]
        elif choices:
            kinds = [each for each in choices if each.get("type") != "null"]
            schema = {**schema, **kinds[0]}
            for word in ("anyOf", "oneOf", "allOf"):
                schema.pop(word, None)
        else:
            return schema


def sample(schema: Schema, depth: int = 4) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value that a schema permits, as far as its examples and limits say."""
    for each in (schema, resolve(schema)):
        shown = [each[word] for word in ("example", "default", "const") if word in each]
        shown += [each[word][0] for word in ("examples", "enum") if each.get(word)]
        if shown:
            return copy.deepcopy(shown[0])
    schema = resolve(schema)
    if schema.get("type") == "object" and depth:
        members = schema.get("properties", {})
        return {name: sample(each, depth - 1) for name, each in members.items()}
    if schema.get("type") == "array" and depth and "items" in schema:
        return [sample(schema["items"], depth - 1)]
    plain = {"object": {}, "array": [], "boolean": True, "string": "x"}
    numbers = dict.fromkeys(("integer", "number"), schema.get("minimum", 1))
    return DAYS.get(schema.get("format", ""), {**plain, **numbers}.get(schema.get("type", "")))


def limits(schema: Schema) -> Iterator[str]:
    """Yield the JSON text of the values at the edges of a schema, which are valid."""
    schema = resolve(schema)
    kind = schema.get("type")
    yield from map(json.dumps, schema.get("enum", ()))
    if kind in {"integer", "number"}:
        for word, step in (
            ("minimum", 0),
            ("maximum", 0),
            ("exclusiveMinimum", 1e-300),
            ("exclusiveMaximum", -1e-9),
        ):
            if word in schema:
                yield json.dumps(schema[word] + (step if kind == "number" else (step > 0)))
        if kind == "number":
            yield from ("1e308", "-1e308", "5e-324", "1e-9")
    if kind == "string":
        yield from _edge_texts(schema)
    if kind == "array" and "items" in schema:
        yield json.dumps([sample(schema["items"])] * min(schema.get("maxItems", 50), 1000))


def _edge_texts(schema: Schema) -> Iterator[str]:
    match schema.get("format"):
        case "date":
            yield from ('"0001-01-01"', '"9999-12-31"', '"2024-02-29"', '"1969-12-31"')
        case "date-time":
            yield from ('"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59.999999Z"')
            yield from ('"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-12:00"')
        case _:
            length = schema.get("maxLength", 200)
            yield from (json.dumps(each * length) for each in "x😀 \u202e")
            yield json.dumps("'\"%_\\;" * (length // 6) or "%")


def member(schema: Schema, key: str) -> Schema:
    """Return the schema of a member of an object."""
    schema = resolve(schema)
    inner = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
    return cast("Schema", inner) if isinstance(inner, dict) else {}
