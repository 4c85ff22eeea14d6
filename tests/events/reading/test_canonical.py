from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.events.reading import segment
from app.events.reading.canonical import (
    MAX_DEPTH,
    CanonicalEvent,
    EventRules,
    canonicalize,
)
from app.events.reading.identifiers import parse_identifier
from app.events.reading.quarantine_codes import QUARANTINE_CODES, QuarantineError
from app.events.reading.times import ReceiveContext

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
OLDEST = NOW - timedelta(days=400)
RECEIVED = ReceiveContext(NOW, OLDEST)
RULES = EventRules()
NOTHING: dict[str, Any] = {}


def event(
    received: ReceiveContext = RECEIVED, rules: EventRules = RULES, **fields: object
) -> CanonicalEvent:
    raw = {
        "type": "track",
        "messageId": "m1",
        "timestamp": NOW.isoformat(),
        "userId": "ada",
        "event": "Export",
        "context": {"groupId": "a1"},
        **fields,
    }
    return canonicalize(3, raw, segment.parse_call, rules, received)


def refused(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(QuarantineError) as caught:
        act()
    assert caught.value.detail == QUARANTINE_CODES[caught.value.code]
    return caught.value.code, caught.value.pointer


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("ada", "ada"),
        (" ada ", "ada"),
        (2**70, str(2**70)),
        (2.0**53 - 1, str(2**53 - 1)),
        (7, "7"),
        (7.0, "7"),
        (None, None),
        ("x" * 255, "x" * 255),
    ],
)
def test_an_id_is_a_text_or_a_whole_number(value: object, read: str | None) -> None:
    assert parse_identifier(value) == read


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "NULL", "None", "NaN", "0", "True", "false", "Guest", "[object Object]"),
        *(0, 0.0, True, False, 1.5, 2.0**53, 1e300, [], {}, str(UUID(int=0))),
    ],
)
def test_a_placeholder_is_not_an_id(value: object) -> None:
    assert parse_identifier(value) == ""


@pytest.mark.parametrize("field", ["userId", "messageId", "anonymousId"])
@pytest.mark.parametrize("value", ["x" * 256, "\U0001f600" * 255, "9" * 300])
def test_an_id_that_is_too_long_is_quarantined(field: str, value: object) -> None:
    fields: dict[str, Any] = {field: value}

    assert refused(lambda: event(**fields))[0] == "id_too_long"


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"event": None}, "missing_event_name", "/event"),
        ({"event": " "}, "missing_event_name", "/event"),
        ({"event": 7}, "missing_event_name", "/event"),
        ({"event": "x" * 201}, "event_name_too_long", "/event"),
        ({"event": "\U0001f600" * 200}, "event_name_too_long", "/event"),
        ({"type": "page", "name": "x" * 200}, "event_name_too_long", "/event"),
        ({"type": "group"}, "missing_account_id", "/account_id"),
        ({"type": "group", "groupId": "null"}, "invalid_account_id", "/account_id"),
        ({"context": {"groupId": "undefined"}}, "invalid_account_id", "/account_id"),
        ({"type": "alias"}, "missing_previous_id", "/previous_id"),
        ({"type": "alias", "previousId": "x", "userId": None}, "missing_previous_id", None),
        ({"userId": None, "context": NOTHING}, "missing_identity", "/user_id"),
        ({"userId": "null", "anonymousId": "0", "context": NOTHING}, "missing_identity", None),
        ({"timestamp": "soon"}, "invalid_timestamp", "/timestamp"),
        ({"properties": {"x": "y" * 262_144}}, "event_too_large", ""),
    ],
)
def test_an_invalid_event_is_quarantined_with_a_pointer(
    fields: dict[str, Any], code: str, pointer: str | None
) -> None:
    found = refused(lambda: event(**fields))

    assert found[0] == code
    assert pointer is None or found[1] == pointer


@pytest.mark.parametrize("raw", [None, 3, "x", []])
def test_a_value_that_is_not_an_object_is_quarantined(raw: object) -> None:
    found = refused(lambda: canonicalize(0, raw, segment.parse_call, EventRules(), RECEIVED))

    assert found == ("not_an_object", "")


@pytest.mark.parametrize("fields", [{"event": "x" * 200}, {"properties": {"x": "y" * 250_000}}])
def test_an_event_just_below_the_size_limits_is_accepted(fields: dict[str, Any]) -> None:
    assert event(**fields).kind == "track"


def test_nesting_is_limited_and_the_number_of_objects_is_not() -> None:
    def nested(levels: int) -> object:
        return [nested(levels - 1)] if levels else 1

    assert event(properties={"x": nested(MAX_DEPTH - 2)}).kind == "track"
    assert event(properties={"x": [{}] * 1000}).kind == "track"
    assert refused(lambda: event(properties={"x": nested(MAX_DEPTH - 1)}))[0] == "too_deep"
    assert refused(lambda: event(properties={"x": nested(500)}))[0] == "too_deep"


def test_a_placeholder_user_is_dropped_with_a_warning_and_a_missing_user_without() -> None:
    assert (event(userId="null").user_id, event(userId="null").warnings) == (
        None,
        ("user_id_ignored",),
    )
    assert (event(userId=None).user_id, event(userId=None).warnings) == (None, ())


def test_the_id_is_from_the_client_or_else_the_request_or_else_the_content() -> None:
    keyed = ReceiveContext(NOW, OLDEST, idempotency_key="job")

    assert event(keyed).message_id == "m1"
    assert event(messageId=7).message_id == "7"
    assert event(keyed, messageId=None).message_id == "job:3"
    assert event(keyed, messageId="null").message_id == "job:3"
    content = event(messageId=None).message_id
    assert content.startswith("content-")
    assert (
        event(messageId=None).message_id == content != event(messageId=None, event="x").message_id
    )


def test_an_event_without_id_and_time_gets_a_random_id_and_a_warning() -> None:
    first, second = (event(messageId=None, timestamp=None) for _ in range(2))

    assert first.message_id != second.message_id
    assert first.warnings == ("no_message_id",)
    assert event(timestamp=None).warnings == ()


def test_the_fingerprint_ignores_only_sent_at() -> None:
    same = {event(sentAt=value).fingerprint for value in ("a", "b", None)} | {event().fingerprint}

    assert len(same) == 1
    assert event(context={"groupId": "a1", "sentAt": "x"}).fingerprint not in same
    assert (
        event(properties={"a": 1, "b": 2}).fingerprint
        == event(properties={"b": 2, "a": 1}).fingerprint
    )
    assert -(2**63) <= event().fingerprint < 2**63


@pytest.mark.parametrize(
    ("fields", "name", "counted"),
    [
        ({}, "Export", "Export"),
        ({"type": "page", "name": "Home"}, "Viewed Home", "Viewed Home"),
        ({"type": "screen", "category": "App"}, "Viewed App", "Viewed App"),
        ({"type": "page"}, "Viewed page", "Viewed page"),
        ({"type": "identify"}, "identify", None),
        ({"type": "group", "groupId": "a1"}, "group", None),
        ({"context": {"groupId": "a1", "impersonated": True}}, "Export", None),
    ],
)
def test_only_usage_events_are_counted_by_name(
    fields: dict[str, Any], name: str, counted: str | None
) -> None:
    found = event(**fields)

    assert (found.name, found.counted_as) == (name, counted)


@pytest.mark.parametrize(
    ("properties", "reached"),
    [
        ({"end_customer_id": "c1"}, ("c1",)),
        ({"contact_id": 7, "end_customer_id": "c1"}, ("c1", "7")),
        ({"end_customer_ids": ["c1", "c2", "c1", 7]}, ("c1", "c2", "7")),
        ({"end_customer_id": "c2", "end_customer_ids": ["c1", "c2"]}, ("c2", "c1")),
        ({"end_customer_ids": [None, "null", [], {}, True, "x" * 256]}, ()),
        ({"end_customer_ids": "c1", "end_customer_id": ["c1"], "other_id": "c3"}, ()),
    ],
)
def test_end_customers_are_collected_once_from_the_configured_keys(
    properties: dict[str, Any], reached: tuple[str, ...]
) -> None:
    rules = EventRules(("end_customer_id", "contact_id"))

    assert event(rules=rules, properties=properties).end_customers == reached
    assert event(rules=rules, type="identify", properties=properties).end_customers == ()


@pytest.mark.parametrize(
    ("value", "quantity"),
    [(3, 3), (2.6, 3), (-1, 0), (1e300, 2**40), ("3", 0), (True, 0), (None, 0), ([], 0)],
)
def test_the_quantity_is_a_number_within_bounds(value: object, quantity: int) -> None:
    rules = EventRules(reach_property="sent")

    assert event(rules=rules, properties={"sent": value}).quantity == quantity
    assert event(properties={"sent": value}).quantity == 0


def test_the_day_is_the_utc_day_of_the_corrected_time() -> None:
    found = event(timestamp="2026-03-18T01:00:00+05:00")

    assert found.day.isoformat() == "2026-03-17"
    assert found.row()["day"] == found.day
