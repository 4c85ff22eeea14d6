"""Hostile requests to one route, drawn with a seed from its part of the OpenAPI document."""

import copy
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from app.core.pagination import encode_cursor
from tests.hostile.values import FRAGMENTS, TEXTS, Schema, limits, member, resolve, sample
from tests.other_tenant import PATH_PARTS
from tests.tenant_bodies import REQUEST_BODIES
from tests.tenant_routes import (
    CREATE_OWN_BODIES,
    INGEST_ROUTES,
    OTHER_TENANT_ID,
    REQUIRED_QUERIES,
)
from tests.test_openapi import OPERATIONS

MARK = "@@hostile@@"
"""Stands in a body where a hostile value comes, which no JSON library would write."""

DEPTH = 4
FEW, HALF, MOST = 0.1, 0.5, 0.85
"""Shares of the draws."""
CALL = {
    "type": "track",
    "event": "Export",
    "userId": OTHER_TENANT_ID,
    "messageId": "m1",
    "timestamp": "2026-03-01T12:00:00Z",
    "originalTimestamp": "2026-03-01T12:00:00Z",
    "context": {"groupId": OTHER_TENANT_ID, "traits": {"email": "x"}, "library": {"name": "x"}},
    "properties": {"revenue": 1, "currency": "USD", "score": 9, "ticket_id": "t1"},
    "traits": {"name": "Acme", "mrr": 100, "seats": 5, "plan": "pro", "employees": 1},
    "groupId": OTHER_TENANT_ID,
    "previousId": "before",
    "integrations": {},
}
"""One call with every field that is read."""

POSTHOG = {
    "event": "$groupidentify",
    "distinct_id": OTHER_TENANT_ID,
    "uuid": "m1",
    "timestamp": "2026-03-01T12:00:00Z",
    "options": {"process_person_profile": False},
    "properties": {
        "$lib": "posthog-python",
        "$lib_version": "7",
        "$groups": {"company": OTHER_TENANT_ID},
        "$group_type": "company",
        "$group_key": OTHER_TENANT_ID,
        "$group_set": {"name": "Acme", "mrr": 100},
        "$set": {"email": "x"},
        "$set_once": {"source": "x"},
        "$screen_name": "Home",
        "$device_id": "d1",
        "$user_id": OTHER_TENANT_ID,
        "$anon_distinct_id": "before",
        "alias": "before",
        "token": "x",
    },
    "$set": {"email": "x"},
}
POSTHOG_CALLS = [
    {**POSTHOG, "event": name}
    for name in ("$groupidentify", "$identify", "$set", "$create_alias", "$screen", "Export")
]

OTEL_ATTRIBUTES = [
    {"key": "account.id", "value": {"stringValue": OTHER_TENANT_ID}},
    {"key": "n", "value": {"intValue": "1"}},
    {"key": "list", "value": {"arrayValue": {"values": [{"doubleValue": 1.5}]}}},
    {"key": "map", "value": {"kvlistValue": {"values": [{"key": "x", "value": {}}]}}},
]
OTEL_RECORD = {
    "eventName": "Export",
    "timeUnixNano": "1772366400000000000",
    "observedTimeUnixNano": "1772366400000000000",
    "body": {"stringValue": "x"},
    "attributes": OTEL_ATTRIBUTES,
}
OTEL_LOGS = {
    "resourceLogs": [
        {
            "resource": {"attributes": OTEL_ATTRIBUTES},
            "scopeLogs": [{"scope": {"name": "x"}, "logRecords": [OTEL_RECORD]}],
        }
    ]
}

NATIVE = {
    "event": "Export",
    "account_id": OTHER_TENANT_ID,
    "user_id": OTHER_TENANT_ID,
    "message_id": "m1",
    "timestamp": "2026-03-01T12:00:00Z",
    "properties": {"revenue": 1},
    "traits": {"mrr": 100},
}


@dataclass(frozen=True)
class HostileRequest:
    """A request as a server passes it on: the path is already encoded."""

    method: str
    path: bytes
    query: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""

    def with_header(self, name: str, value: bytes) -> "HostileRequest":
        """Replace a header, or add it."""
        rest = [each for each in self.headers if each[0] != name.encode()]
        return replace(self, headers=[*rest, (name.encode(), value)])


@dataclass(frozen=True)
class RequestMaker:
    """Draws requests to one route.

    ``named`` is the id of the caller's own resource, ``foreign`` are ids of another tenant.
    """

    name: str
    named: str
    key: str
    foreign: Sequence[bytes]
    draw: random.Random

    @property
    def method(self) -> str:
        return self.name.split()[0]

    @property
    def operation(self) -> dict[str, Any]:
        operation: dict[str, Any] = OPERATIONS[self.name]
        return operation

    def valid(self) -> HostileRequest:
        """Return a request that the route can understand."""
        headers = [(b"authorization", f"Bearer {self.key}".encode()), (b"host", b"x")]
        if "requestBody" not in self.operation:
            return HostileRequest(self.method, self.path(), self.query(), headers)
        body = json.dumps(self.draw.choice(self.bodies())).encode()
        headers += [(each.encode(), b"x/1") for each in self.required_headers()]
        request = HostileRequest(self.method, self.path(), self.query(), headers, body)
        return request.with_header("content-type", b"application/json")

    def required_headers(self) -> list[str]:
        parameters = self.operation.get("parameters", ())
        return [each["name"] for each in parameters if each["in"] == "header" and each["required"]]

    def path(self, hostile: bytes | None = None) -> bytes:
        """Return the path; ``hostile`` replaces one of its parameters."""
        path = self.name.split()[1]
        for part, value in PATH_PARTS.items():
            path = path.replace(part, value) if hostile is None else path
        names = [part for part in path.split("/") if part.startswith("{")]
        target = self.draw.choice(names) if names and hostile is not None else None
        for part in names:
            value = quote(hostile or b"", safe="") if part == target else quote(self.named, safe="")
            path = path.replace(part, value)
        return path.encode()

    def query(self) -> bytes:
        """Return the query parameters that the route requires."""
        return urlencode(REQUIRED_QUERIES.get(self.name, {})).encode()

    def bodies(self) -> list[Any]:
        """Return bodies that the route understands: the smallest one and one with every field."""
        if self.name in INGEST_ROUTES:
            if "PostHog" in self.operation["summary"]:
                batch = {"batch": POSTHOG_CALLS, "sent_at": CALL["timestamp"], "api_key": "x"}
                return [batch, POSTHOG_CALLS, POSTHOG]
            if "OpenTelemetry" in self.operation["summary"]:
                return [OTEL_LOGS]
            whole = {"batch": [CALL], "sentAt": "2026-03-01T12:00:00Z", "writeKey": "x"}
            is_batch = self.name.split()[1].rpartition("/")[2] in {"batch", "import", "b"}
            return [NATIVE, [NATIVE]] if "/events" in self.name else [whole if is_batch else CALL]
        full = sample(self.body_schema())
        known = {**REQUEST_BODIES, **CREATE_OWN_BODIES}.get(self.name)
        if not isinstance(full, dict):
            return [known]
        own = dict.fromkeys(("account_id", "user_id"), OTHER_TENANT_ID)
        full |= {name: value for name, value in own.items() if name in full}
        return [full] if known is None else [known, {**full, **known}]

    def body_schema(self) -> Schema:
        contents = self.operation["requestBody"]["content"]
        schema: Schema = next(iter(contents.values())).get("schema", {})
        return schema

    def bad_values(self) -> Iterator[HostileRequest]:
        """Yield requests with one to three hostile or extreme values, without an end."""
        parameters = [each for each in self.operation.get("parameters", ()) if each["in"] != "path"]
        ways = [self._bad_query] * bool(parameters) + [self._bad_path] * ("{" in self.name)
        if "requestBody" in self.operation:
            ways += [self._bad_body] * 4
        while True:
            yield self.draw.choice(ways or [self._bad_query])()

    def _bad_path(self) -> HostileRequest:
        text = self.draw.choice(self.foreign if self.draw.random() < FEW else TEXTS)
        return replace(self.valid(), path=self.path(text))

    def _bad_query(self) -> HostileRequest:
        parameters = [
            each for each in self.operation.get("parameters", ()) if each["in"] == "query"
        ] or [{"name": "unknown", "schema": {}}]
        chosen = self.draw.sample(parameters, k=min(len(parameters), self.draw.randint(1, 3)))
        parts = [self.query()] if self.query() else []
        for parameter in chosen:
            is_cursor = parameter["name"] == "cursor" and self.draw.random() < MOST
            text = bad_cursor(self.draw) if is_cursor else self._text(parameter.get("schema", {}))
            value = text if self.draw.random() < FEW else quote(text).encode()
            parts.append(parameter["name"].encode() + b"=" + value)
        return replace(self.valid(), query=b"&".join(parts))

    def _text(self, schema: Schema) -> bytes:
        edges = list(limits(schema))
        if edges and self.draw.random() < HALF:
            edge = json.loads(self.draw.choice(edges))
            return str(edge).encode("utf-8", "surrogatepass")
        return self.draw.choice(TEXTS)

    def _bad_body(self) -> HostileRequest:
        body = copy.deepcopy(self.draw.choice(self.bodies()))
        fragments: list[str] = []
        for _ in range(self.draw.choice((1, 1, 1, 2, 3))):
            body = self._put(body, fragments, self.body_schema(), DEPTH)
        text = json.dumps(body)
        for number, fragment in enumerate(fragments):
            text = text.replace(f'"{MARK}{number}"', fragment)
        return replace(self.valid(), body=text.encode("utf-8", "surrogatepass"))

    def _put(self, node: Any, fragments: list[str], schema: Schema, depth: int) -> Any:  # noqa: ANN401
        """Put a hostile value at a random place of a body, more often deep than shallow."""
        schema = resolve(schema)
        go_on = depth and self.draw.random() < MOST
        if isinstance(node, list) and node and go_on:
            at = self.draw.randrange(len(node))
            node[at] = self._put(node[at], fragments, schema.get("items") or {}, depth - 1)
            return node
        names = [*schema.get("properties", {}), *(node if isinstance(node, dict) else ())]
        if isinstance(node, dict) and go_on and (names or schema.get("additionalProperties")):
            name = self.draw.choice(names or ["x"])
            if self.draw.random() < FEW:
                name = self.draw.choice(("", "\x00", "\ud800", "x" * 300, "__proto__", "$ref"))
            inner = node.get(name)
            if inner is None:
                inner = sample(member(schema, name))
            node[name] = self._put(inner, fragments, member(schema, name), depth - 1)
            return node
        edges = list(limits(schema))
        is_edge = edges and self.draw.random() < HALF
        fragments.append(self.draw.choice(edges if is_edge else FRAGMENTS))
        return f"{MARK}{len(fragments) - 1}"


CURSOR_PARTS: tuple[Any, ...] = (
    *("", "theirs", "a\x00b", "x" * 500, "2026-03-01", "0001-01-01", "9999-12-31", "2026-13-01"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-03-01T00:00:00Z"),
    *("2026-03-01T00:00:00", "00000000-0000-0000-0000-000000000000", "true", None, True, 0, -1),
    *(1.5, 2**53, 2**63 - 1, -(2**63), 2**64 - 1, 1e308, [], {}, [[]], 0.0),
)


def bad_cursor(draw: random.Random) -> bytes:
    """Return a cursor of some list, which is none of the list that gets it."""
    parts = draw.choices(CURSOR_PARTS, k=draw.choice((1, 2, 2, 3, 3, 4, 0)))
    return encode_cursor(*parts).encode()
