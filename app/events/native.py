"""The native dialect: the same calls in snake_case, for who has no SDK."""

from collections.abc import Mapping
from typing import Any

from app.events.canonical import Call
from app.events.quarantine import QuarantineError
from app.events.segment import KINDS, NOTHING


def read(raw: Mapping[str, Any]) -> Call:
    """Read one event of ``POST /api/v1/events``. Without a type it is a track call."""
    kind = raw.get("type", "track")
    if not isinstance(kind, str) or kind not in KINDS:
        raise QuarantineError("unknown_type", "/type")
    properties = raw.get("properties")
    traits = raw.get("traits")
    sdk = raw.get("sdk")
    end_customer = raw.get("end_customer_id")
    properties = properties if isinstance(properties, dict) else NOTHING
    return Call(
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
        traits=traits if isinstance(traits, dict) else NOTHING,
        impersonated=raw.get("impersonated") is True,
        sdk=sdk[:100] if isinstance(sdk, str) else None,
    )
