"""The dialect of OpenTelemetry logs: a log record with an event name is a track call."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from app.events.reading.canonical import DialectCall
from app.events.reading.segment import as_mapping, first_value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVENT_NAME, RECORD_ID = "event.name", "log.record.uid"
ACCOUNT, USERS, END_CUSTOMER = "account.id", ("enduser.id", "user.id"), "end_customer.id"
READ = frozenset({EVENT_NAME, RECORD_ID, ACCOUNT, END_CUSTOMER, *USERS})
NO_TRAITS: Mapping[str, Any] = {}


def parse_call(raw: Mapping[str, Any]) -> DialectCall:
    """Parse one record, as ``otel_bodies`` returns it.

    Account and user may also be attributes of the resource, for services that serve only one.
    """
    attributes, resource = as_mapping(raw.get("attributes")), as_mapping(raw.get("resource"))
    every = {**resource, **attributes}
    own = {
        "service": resource.get("service.name"),
        "scope": raw.get("scope"),
        "body": raw.get("body"),
        "end_customer_id": every.get(END_CUSTOMER),
    }
    return DialectCall(
        kind="track",
        name=first_value(raw.get("event_name"), attributes.get(EVENT_NAME)),
        message_id=attributes.get(RECORD_ID),
        timestamp=_time(first_value(raw.get("time"), raw.get("observed_time"))),
        sent_at=None,
        account_id=every.get(ACCOUNT),
        user_id=first_value(*map(every.get, USERS)),
        anonymous_id=None,
        previous_id=None,
        properties={
            **{name: value for name, value in own.items() if value is not None},
            **{name: value for name, value in attributes.items() if name not in READ},
        },
        traits=NO_TRAITS,
        impersonated=attributes.get("impersonated") is True,
        sdk=_sdk(resource),
    )


def _time(nanoseconds: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return RFC 3339; a value that is no time of this era stays, and is quarantined."""
    try:
        return (EPOCH + timedelta(microseconds=int(nanoseconds) // 1000)).isoformat()
    except (OverflowError, TypeError, ValueError):
        return nanoseconds


def _sdk(resource: Mapping[str, Any]) -> str | None:
    language, version = (
        resource.get("telemetry.sdk.language"),
        resource.get("telemetry.sdk.version"),
    )
    return f"opentelemetry-{language}/{version or ''}"[:100] if language else None
