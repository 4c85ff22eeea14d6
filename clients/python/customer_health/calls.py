"""A request as data: where it goes, what it contains, and whether it may be repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

JSON = "application/json"


def new_key() -> str:
    """Return an idempotency key: with it the service carries out a POST once."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Call:
    """``key``: the idempotency key, if the operation takes one."""

    method: str
    template: str
    path: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    body: Any = None
    content_type: str = JSON
    key: str | None = None

    @property
    def is_safe_to_repeat(self) -> bool:
        """Whether the call has the same effect if the service carries it out twice."""
        return self.method == "GET" or self.key is not None

    def with_cursor(self, cursor: str) -> Call:
        """Return the call for another page of a list."""
        if self.method == "GET":
            return replace(self, query={**self.query, "cursor": cursor})
        return replace(self, body={**self.body, "cursor": cursor})

    def target(self) -> str:
        """Return path and query. A dot in an id is escaped: ``..`` would be another path."""
        parts = {
            name: quote(_text(value), safe="").replace(".", "%2E")
            for name, value in self.path.items()
        }
        query = urlencode(list(_pairs(self.query)))
        return self.template.format_map(parts) + (f"?{query}" if query else "")

    def content(self) -> bytes | None:
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, allow_nan=False, default=_text).encode()

    def headers(self) -> dict[str, str]:
        found = {"Accept": JSON}
        if self.body is not None:
            found["Content-Type"] = self.content_type
        if self.key is not None:
            found["Idempotency-Key"] = self.key
        return found


def _pairs(query: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        values = value if isinstance(value, list | tuple) else [value]
        yield from ((name, _text(each)) for each in values if each is not None)


def _text(value: object) -> str:
    """Return a value as the API reads it in a URL, and days and times also in a body."""
    match value:
        case str():
            return value
        case date():
            return value.isoformat()
        case bool() | int() | float() | dict():
            return json.dumps(value, default=_text)
    raise TypeError(f"{type(value).__name__} is no value of the API: {value!r}")
