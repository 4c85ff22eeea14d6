"""The Segment dialect, which RudderStack speaks too. Its camelCase names end in this file."""

from collections.abc import Mapping
from typing import Any

from app.events.reading.canonical import DialectCall
from app.events.reading.quarantine_codes import QuarantineError

CALL_KINDS = frozenset({"track", "page", "screen", "identify", "group", "alias"})
EMPTY: Mapping[str, Any] = {}


def parse_call(raw: Mapping[str, Any]) -> DialectCall:
    """Read one call of a Segment or RudderStack SDK."""
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in CALL_KINDS:
        raise QuarantineError("unknown_type", "/type")
    context = _mapping(raw.get("context"))
    properties = _mapping(raw.get("properties"))
    return DialectCall(
        kind=kind,
        name=raw.get("event") if kind == "track" else _view_name(raw, properties),
        message_id=raw.get("messageId"),
        timestamp=_first(raw.get("timestamp"), raw.get("originalTimestamp")),
        sent_at=raw.get("sentAt"),
        account_id=_account_id(kind, raw, context, properties),
        user_id=raw.get("userId"),
        anonymous_id=raw.get("anonymousId"),
        previous_id=raw.get("previousId"),
        properties=properties,
        traits=_mapping(raw.get("traits")) or _mapping(context.get("traits")),
        impersonated=context.get("impersonated") is True or properties.get("impersonated") is True,
        sdk=sdk_name(raw),
    )


def _account_id(
    kind: str, raw: Mapping[str, Any], context: Mapping[str, Any], properties: Mapping[str, Any]
) -> Any:  # noqa: ANN401 - as it came
    if kind == "group":
        return raw.get("groupId")
    return _first(
        context.get("groupId"),
        properties.get("groupId"),
        properties.get("group_id"),
        properties.get("account_id"),
    )


def _view_name(raw: Mapping[str, Any], properties: Mapping[str, Any]) -> Any:  # noqa: ANN401
    return _first(
        raw.get("name") or None,
        properties.get("name") or None,
        raw.get("category") or None,
        properties.get("category") or None,
    )


def sdk_name(raw: Mapping[str, Any]) -> str | None:
    """Name the SDK and its version, where the call says so."""
    said = _mapping(_mapping(raw.get("context")).get("library"))
    return f"{said['name']}/{said.get('version', '')}"[:100] if said.get("name") else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else EMPTY


def _first(*values: Any) -> Any:  # noqa: ANN401 - as it came
    for value in values:
        if value is not None:
            return value
    return None
