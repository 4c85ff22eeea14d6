"""The bodies of PostHog SDKs: from bytes to a batch without the keys that its events contain."""

from base64 import b64decode
from binascii import Error as Base64Error
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

from app.events.reading.batch import Batch
from app.events.reading.decoding import ParsedJson, parse_json
from app.events.reading.errors import NotAnObjectError
from app.events.reading.segment import as_mapping, first_value

FORM = b"data="
KEY_FIELDS = frozenset({"api_key", "token"})
KEY_PREFIX = "hk_"


def parse_body(body: bytes) -> Batch:
    """Parse ``{"batch": [...]}``, an array of events, or one event; each may have the key."""
    parsed = _parse_json_or_form(body)
    value, fields = parsed.value, as_mapping(parsed.value)
    match value:
        case {"batch": list() as events}:
            pass
        case list():
            events = value
        case dict():
            events = [{k: each for k, each in value.items() if k not in KEY_FIELDS}]
        case _:
            raise NotAnObjectError('The body must be a JSON object with an array "batch".')
    keys = [fields.get("api_key"), fields.get("token"), *map(_take_key, events)]
    key = first_value(*keys)
    return Batch(
        events, parsed.suspect, fields.get("sent_at"), key if isinstance(key, str) else None
    )


def with_sdk(batch: Batch, sdk: str, sent_at: str) -> Batch:
    """Write the SDK, which the newer route has in a header, into each event as the older one."""
    library, _, version = sdk.partition("/")
    for event in batch.events:
        properties = event.setdefault("properties", {}) if isinstance(event, dict) else None
        if isinstance(properties, dict):
            properties |= {"$lib": library, "$lib_version": version}
    return replace(batch, sent_at=sent_at)


def _parse_json_or_form(body: bytes) -> ParsedJson:
    """Parse JSON, or the field of a form with JSON in base64, as browsers send while they close."""
    if not body.startswith(FORM):
        return parse_json(body)
    text = unquote_plus(body[len(FORM) :].decode(errors="replace"))
    with suppress(Base64Error, ValueError):
        return parse_json(b64decode(text, validate=True))
    return parse_json(text.encode())


def _take_key(event: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """Remove the key that browsers write into the properties of each event: it is not stored."""
    properties = event.get("properties") if isinstance(event, dict) else None
    if not isinstance(properties, dict):
        return None
    token = properties.get("token")
    if not isinstance(token, str) or not token.startswith(KEY_PREFIX):
        return None
    del properties["token"]
    return token
