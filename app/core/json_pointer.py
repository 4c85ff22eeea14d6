"""JSON pointers (RFC 6901), which name the invalid part of a body."""

from collections.abc import Mapping, Sequence
from typing import Any


def pointer_part(name: object) -> str:
    """Return a name as a part of a JSON pointer."""
    return str(name).replace("~", "~0").replace("/", "~1")


def request_pointer(entry: Mapping[str, Any], body: object) -> str:
    """Return the JSON pointer of an invalid part; a FilterError adds a pointer into the value."""
    suffix = getattr(entry.get("ctx", {}).get("error"), "pointer", "")
    location, *path = entry["loc"]
    if location == "body" and isinstance(body, dict | list):
        path = _existing_path(path, body, is_missing=entry["type"] == "missing")
    return "/" + "/".join(map(pointer_part, (location, *path))) + suffix


def _existing_path(
    path: Sequence[Any],
    body: Any,  # noqa: ANN401
    *,
    is_missing: bool,
) -> list[Any]:
    """Drop the parts of a path that name a branch of the schema and nothing in the body."""
    existing = []
    for part in path:
        has_part = isinstance(body, dict) and part in body
        if has_part or (isinstance(body, list) and isinstance(part, int) and part < len(body)):
            body = body[part]
            existing.append(part)
    return [*existing, path[-1]] if is_missing else existing
