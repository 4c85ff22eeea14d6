"""The CloudEvents dialect (version 1.0), also used by OpenMeter: every event is a track call."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from app.events.reading import near_misses
from app.events.reading.canonical import DialectCall
from app.events.reading.quarantine_codes import QuarantineError
from app.events.reading.segment import as_mapping, first_value

REQUIRED = ("id", "source", "specversion", "type")
VERSION = "1.0"
HEADER_PREFIX = "ce-"
READ = frozenset(
    {
        *(*REQUIRED, "subject", "time", "data", "data_base64"),
        *("accountid", "userid", "anonymousid", "endcustomerid", "impersonated"),
        *near_misses.CLOUD_EVENT_FIELDS.names,
    }
)
NO_PROPERTIES: Mapping[str, Any] = {}


def parse_call(raw: Mapping[str, Any]) -> DialectCall:
    """Parse one event. Names of attributes are in lower case, of properties in snake case.

    Without the attribute ``accountid`` the subject is the account.
    """
    for name in REQUIRED:
        if not isinstance(raw.get(name), str) or not raw[name]:
            raise QuarantineError("invalid_cloud_event", f"/{name}")
    if raw["specversion"] != VERSION:
        raise QuarantineError("invalid_cloud_event", "/specversion")
    data = _data(raw)
    end_customer = raw.get("endcustomerid")
    own = {"source": raw["source"], **({"end_customer_id": end_customer} if end_customer else {})}
    return DialectCall(
        kind="track",
        name=raw["type"],
        message_id=raw["id"],
        timestamp=raw.get("time"),
        sent_at=None,
        account_id=first_value(raw.get("accountid"), data.get("account_id"), raw.get("subject")),
        user_id=first_value(raw.get("userid"), data.get("user_id")),
        anonymous_id=first_value(raw.get("anonymousid"), data.get("anonymous_id")),
        previous_id=None,
        properties={**own, **data},
        traits=NO_PROPERTIES,
        impersonated=raw.get("impersonated") in {True, "true"} or data.get("impersonated") is True,
        hints=near_misses.CLOUD_EVENT_FIELDS.find(raw),
        sdk=f"cloudevents/{VERSION}",
        reuses_ids=True,
    )


def read_attributes(event: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Leave out attributes that are not read: brokers add some that differ between two tries."""
    if not isinstance(event, dict):
        return event
    return {name: value for name, value in event.items() if name in READ}


def event_from_headers(
    headers: Iterable[tuple[str, str]], data: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the event whose attributes are headers. ``data``: its field with the data."""
    attributes = {
        name[len(HEADER_PREFIX) :]: unquote(value)
        for name, value in headers
        if name.startswith(HEADER_PREFIX)
    }
    return {**attributes, **data}


def _data(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    data = raw.get("data")
    if isinstance(data, dict):
        return as_mapping(data)
    return {name: raw[name] for name in ("data", "data_base64") if raw.get(name) is not None}
