"""The Segment dialect, also used by RudderStack: calls with camelCase names."""

from collections.abc import Mapping
from typing import Any

from app.events.reading import near_misses
from app.events.reading.canonical import DialectCall
from app.events.reading.quarantine_codes import QuarantineError

CALL_KINDS = frozenset({"track", "page", "screen", "identify", "group", "alias"})
EMPTY: Mapping[str, Any] = {}


def parse_call(raw: Mapping[str, Any]) -> DialectCall:
    """Parse one call of a Segment or RudderStack SDK."""
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in CALL_KINDS:
        raise QuarantineError("unknown_type", "/type")
    context = as_mapping(raw.get("context"))
    properties = as_mapping(raw.get("properties"))
    account_id = _account_id(kind, raw, context, properties)
    return DialectCall(
        kind=kind,
        name=raw.get("event") if kind == "track" else _view_name(raw, properties),
        message_id=raw.get("messageId"),
        timestamp=first_value(raw.get("timestamp"), raw.get("originalTimestamp")),
        sent_at=raw.get("sentAt"),
        account_id=account_id,
        user_id=raw.get("userId"),
        anonymous_id=raw.get("anonymousId"),
        previous_id=raw.get("previousId"),
        properties=properties,
        traits=_traits(kind, raw, context),
        impersonated=context.get("impersonated") is True or properties.get("impersonated") is True,
        sdk=sdk_name(raw),
        hints=near_misses.SEGMENT_FIELDS.find(raw)
        + near_misses.place_hints(kind, as_mapping(raw.get("traits")), raw, properties)
        + (_account_hints(kind, raw, context, properties) if account_id is None else ()),
    )


def _account_id(
    kind: str, raw: Mapping[str, Any], context: Mapping[str, Any], properties: Mapping[str, Any]
) -> Any:  # noqa: ANN401 - any JSON value
    if kind == "group":
        return raw.get("groupId")
    return first_value(
        context.get("groupId"),
        properties.get("groupId"),
        properties.get("group_id"),
        properties.get("account_id"),
    )


def _account_hints(
    kind: str, raw: Mapping[str, Any], context: Mapping[str, Any], properties: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return hints for fields that may name the account of a call without an account."""
    if kind == "group":
        return near_misses.SEGMENT_GROUP.find(raw)
    account = near_misses.SEGMENT_ACCOUNT
    return (
        account.find(raw)
        + account.find(context, "context.")
        + near_misses.SEGMENT_PROPERTY.find(properties, "properties.")
    )


def _traits(kind: str, raw: Mapping[str, Any], context: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the traits of the call. ``context.traits`` are the person's: only identify has them.

    RudderStack's browser SDK adds them to every call, to ``group`` calls too.
    """
    own = as_mapping(raw.get("traits"))
    return own if own or kind != "identify" else as_mapping(context.get("traits"))


def _view_name(raw: Mapping[str, Any], properties: Mapping[str, Any]) -> Any:  # noqa: ANN401
    own = raw.get("name") or properties.get("name")
    return own or raw.get("category") or properties.get("category") or None


def sdk_name(raw: Mapping[str, Any]) -> str | None:
    """Return the name and version of the SDK if the call carries them, at most 100 characters."""
    library = as_mapping(as_mapping(raw.get("context")).get("library"))
    if not library.get("name"):
        return None
    return f"{library['name']}/{library.get('version', '')}"[:100]


def as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else EMPTY


def first_value(*values: Any) -> Any:  # noqa: ANN401 - any JSON value
    for value in values:
        if value is not None:
            return value
    return None
