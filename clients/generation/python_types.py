"""JSON Schemas as Python types."""

import keyword
import re
from collections.abc import Callable, Iterator, Mapping

from clients.generation.document import Schema

PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
TIMES = {"date": "date | str", "date-time": "datetime | str"}
"""Types of query parameters: a text of the right form is fine too."""


def class_name(name: str) -> str:
    """Return the name of a schema as a class: ``Page_UserOut_`` becomes ``PageUserOut``."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]", name))


def is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def type_of(schema: Schema, *, module: str = "", times: Mapping[str, str] | None = None) -> str:
    """Return a schema as a type; ``module`` comes before names of other schemas."""

    def inner(each: Schema) -> str:
        return type_of(each, module=module, times=times)

    found = "Any"
    match schema:
        case {"$ref": str(ref)}:
            found = module + class_name(ref.rpartition("/")[2])
        case {"const": value}:
            found = f"Literal[{value!r}]"
        case {"enum": values}:
            found = f"Literal[{', '.join(map(repr, values))}]"
        case {"type": "object"}:
            found = f"Mapping[str, {_value(schema, inner)}]"
        case {"anyOf": choices} | {"oneOf": choices} | {"allOf": choices}:
            found = " | ".join(dict.fromkeys(map(inner, choices)))
        case {"type": "array"}:
            found = f"Sequence[{inner(schema.get('items', {}))}]"
        case {"type": str(name)}:
            found = (times or {}).get(schema.get("format", ""), PLAIN[name])
    return found


def _value(schema: Schema, inner: Callable[[Schema], str]) -> str:
    values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    found = [each for each in values if isinstance(each, dict)]
    return inner(found[0]) if len(found) == 1 and "properties" not in schema else "Any"


def definition(name: str, schema: Schema) -> str:
    """Return the definition of a schema: a TypedDict if its fields are known, else an alias."""
    fields = schema.get("properties")
    has_other_fields = isinstance(schema.get("additionalProperties"), dict)
    if not fields or has_other_fields or "patternProperties" in schema:
        return f"{class_name(name)}: TypeAlias = {type_of(schema)!r}\n"
    required = set(schema.get("required", ()))
    types = {
        field: type_of(each) if field in required else f"NotRequired[{type_of(each)}]"
        for field, each in fields.items()
    }
    return "\n".join(_typed_dict(class_name(name), types)) + "\n"


def _typed_dict(name: str, types: Mapping[str, str]) -> Iterator[str]:
    if all(map(is_name, types)):
        yield f"class {name}(TypedDict):"
        yield from (f"    {field}: {each}" for field, each in types.items())
    else:
        pairs = (f"{field!r}: {each!r}" for field, each in types.items())
        yield f"{name} = TypedDict({name!r}, {{{', '.join(pairs)}}})"
