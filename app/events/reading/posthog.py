"""The PostHog dialect: events as its SDKs send them, to the older and to the newer routes."""

from collections.abc import Mapping
from typing import Any

from app.events.reading.canonical import DialectCall
from app.events.reading.segment import as_mapping, first_value

ACCOUNT_GROUPS = (
    *("account", "company", "organization", "organisation", "org", "customer", "tenant"),
    "workspace",
)
"""The types of groups that are accounts; the first that an event names counts."""
KINDS = {
    "$identify": "identify",
    "$set": "identify",
    "$set_once": "identify",
    "$groupidentify": "group",
    "$create_alias": "alias",
    "$merge_dangerously": "alias",
    "$screen": "screen",
}
"""All other events whose names begin with ``$`` are made by the SDK itself: they are views."""
COOKIELESS = "$posthog_cookieless"
"""The id that all visitors without cookies share."""
NOT_STORED = frozenset({"distinct_id", "alias", "token"})
GROUP_HINT = "No type of group names an account; expected one of " + ", ".join(ACCOUNT_GROUPS) + "."
SET_HINT = "`$set` is read in `$set` and `$identify` events only."
SET_ONCE_HINT = "`$set_once` is not read; did you mean `$set`?"


def parse_call(raw: Mapping[str, Any]) -> DialectCall:
    """Parse one event of a PostHog SDK."""
    properties, event = as_mapping(raw.get("properties")), raw.get("event")
    is_own = isinstance(event, str) and event.startswith("$")
    kind = KINDS.get(event, "page") if is_own and isinstance(event, str) else "track"
    account_id = _account_id(kind, properties)
    user_id, anonymous_id, previous_id = _people(kind, raw, properties)
    library, version = properties.get("$lib"), properties.get("$lib_version", "")
    return DialectCall(
        kind=kind,
        name=_name(kind, event, properties),
        message_id=first_value(raw.get("uuid"), properties.get("$insert_id")),
        timestamp=raw.get("timestamp"),
        sent_at=None,
        account_id=account_id,
        user_id=user_id,
        anonymous_id=anonymous_id,
        previous_id=previous_id,
        properties={
            name: value
            for name, value in properties.items()
            if name[:1] != "$" and name not in NOT_STORED
        },
        traits=_traits(kind, raw, properties),
        impersonated=properties.get("impersonated") is True,
        sdk=f"{library}/{version}"[:100] if isinstance(library, str) else None,
        hints=_hints(kind, raw, properties, has_account=account_id is not None),
    )


def _name(kind: str, event: Any, properties: Mapping[str, Any]) -> Any:  # noqa: ANN401
    if kind == "screen":
        return properties.get("$screen_name")
    return None if event == "$pageview" else event


def _account_id(kind: str, properties: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    if kind == "group":
        is_account = properties.get("$group_type") in ACCOUNT_GROUPS
        return properties.get("$group_key") if is_account else None
    groups = as_mapping(properties.get("$groups"))
    return first_value(
        *(groups.get(name) for name in ACCOUNT_GROUPS if name in groups),
        properties.get("group_id"),
        properties.get("account_id"),
    )


def _people(
    kind: str, raw: Mapping[str, Any], properties: Mapping[str, Any]
) -> tuple[Any, Any, Any]:
    """Return the user, the anonymous and the previous id.

    SDKs of servers name a group by a random or made-up ``distinct_id``: it is nobody's.
    """
    distinct_id = first_value(raw.get("distinct_id"), properties.get("distinct_id"))
    if kind == "group":
        return properties.get("$user_id"), None, None
    if kind == "alias":
        other = properties.get("alias")
        # The Python SDK gives the previous id as distinct_id, all others give it as alias.
        is_python = properties.get("$lib") == "posthog-python"
        return (other, None, distinct_id) if is_python else (distinct_id, None, other)
    if distinct_id == COOKIELESS:
        return None, None, None
    if _is_anonymous(raw, properties, distinct_id):
        return None, distinct_id, None
    return distinct_id, properties.get("$anon_distinct_id"), None


def _is_anonymous(
    raw: Mapping[str, Any],
    properties: Mapping[str, Any],
    distinct_id: Any,  # noqa: ANN401 - any JSON value
) -> bool:
    """Whether the SDK says that nobody has been identified yet."""
    options = as_mapping(raw.get("options"))
    return (
        properties.get("$is_identified") is False
        or properties.get("$process_person_profile") is False
        or options.get("process_person_profile") is False
        or (distinct_id is not None and distinct_id == properties.get("$device_id"))
    )


def _set(raw: Mapping[str, Any], properties: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the properties of the person, beside the event or in its properties.

    Names that begin with ``$`` are the SDK's.
    """
    own = as_mapping(raw.get(name)) or as_mapping(properties.get(name))
    return {each: value for each, value in own.items() if each[:1] != "$"}


def _traits(kind: str, raw: Mapping[str, Any], properties: Mapping[str, Any]) -> Mapping[str, Any]:
    if kind == "group":
        return as_mapping(properties.get("$group_set"))
    return _set(raw, properties, "$set") if kind == "identify" else {}


def _hints(
    kind: str, raw: Mapping[str, Any], properties: Mapping[str, Any], *, has_account: bool
) -> tuple[str, ...]:
    hints: tuple[str, ...] = ()
    if not has_account and (kind == "group" or properties.get("$groups")):
        hints += (GROUP_HINT,)
    if kind != "identify" and _set(raw, properties, "$set"):
        hints += (SET_HINT,)
    if any(value is not None for value in _set(raw, properties, "$set_once").values()):
        hints += (SET_ONCE_HINT,)
    return hints
