"""The native dialect: Segment's calls in snake_case, for clients without an SDK."""

from collections.abc import Mapping
from typing import Any

from app.events.reading import near_misses
from app.events.reading.canonical import DialectCall
from app.events.reading.quarantine_codes import QuarantineError
from app.events.reading.segment import CALL_KINDS, as_mapping


def parse_call(raw: Mapping[str, Any]) -> DialectCall:
    """Parse one event of ``POST /api/v1/events``. Without a type it is a track call."""
    kind = raw.get("type", "track")
    if not isinstance(kind, str) or kind not in CALL_KINDS:
        raise QuarantineError("unknown_type", "/type")
    sdk, end_customer = raw.get("sdk"), raw.get("end_customer_id")
    properties = as_mapping(raw.get("properties"))
    return DialectCall(
        kind=kind,
        name=raw.get("event", raw.get("name")),
        message_id=raw.get("message_id"),
        timestamp=raw.get("timestamp"),
        sent_at=raw.get("sent_at"),
        account_id=raw.get("account_id"),
        user_id=raw.get("user_id"),
        anonymous_id=raw.get("anonymous_id"),
        previous_id=raw.get("previous_id"),
        properties={**properties, "end_customer_id": end_customer} if end_customer else properties,
        traits=as_mapping(raw.get("traits")),
        impersonated=raw.get("impersonated") is True,
        sdk=sdk[:100] if isinstance(sdk, str) else None,
        hints=_hints(kind, raw, properties),
    )


def _hints(kind: str, raw: Mapping[str, Any], properties: Mapping[str, Any]) -> tuple[str, ...]:
    hints = near_misses.NATIVE_FIELDS.find(raw)
    hints += near_misses.place_hints(kind, as_mapping(raw.get("traits")), raw, properties)
    if raw.get("account_id") is None:
        context = as_mapping(raw.get("context"))
        hints += near_misses.NATIVE_ACCOUNT.find(raw)
        hints += near_misses.NATIVE_PROPERTY.find(properties, "properties.")
        hints += near_misses.NATIVE_CONTEXT.find(context, "context.")
    return hints
