from typing import Any

import pytest

from app.events.reading import segment
from app.events.reading.quarantine_codes import QuarantineError


def read(**said: object) -> Any:  # noqa: ANN401 - a call, of which any field is looked at
    return segment.parse_call({"type": "track", "userId": "ada", "event": "Export", **said})


@pytest.mark.parametrize("kind", [None, "", "Track", "event", ["track"], {}, 1])
def test_an_unknown_type_is_put_aside(kind: object) -> None:
    with pytest.raises(QuarantineError, match="unknown_type"):
        read(type=kind)


def test_a_call_is_read_field_by_field() -> None:
    call = read(
        messageId="m1",
        timestamp="t",
        sentAt="s",
        anonymousId="anon",
        previousId="before",
        properties={"rows": 3},
        context={"library": {"name": "analytics-python", "version": "2.4.0"}},
    )

    assert (call.kind, call.name, call.message_id) == ("track", "Export", "m1")
    assert (call.timestamp, call.sent_at) == ("t", "s")
    assert (call.user_id, call.anonymous_id, call.previous_id) == ("ada", "anon", "before")
    assert (call.properties, call.sdk) == ({"rows": 3}, "analytics-python/2.4.0")


@pytest.mark.parametrize(
    ("said", "account_id"),
    [
        ({"context": {"groupId": "c"}, "properties": {"groupId": "p"}}, "c"),
        ({"properties": {"groupId": "p", "group_id": "q"}}, "p"),
        ({"context": {"groupId": None}, "properties": {"group_id": "q", "account_id": "r"}}, "q"),
        ({"properties": {"account_id": "r"}}, "r"),
        ({"groupId": "g"}, None),
        ({"type": "group", "groupId": "g", "context": {"groupId": "c"}}, "g"),
        ({"type": "group", "context": {"groupId": "c"}}, None),
    ],
)
def test_the_account_is_looked_for_in_order(said: dict[str, Any], account_id: str | None) -> None:
    assert read(**said).account_id == account_id


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"name": "Home", "category": "Docs"}, "Home"),
        ({"properties": {"name": "Home"}, "category": "Docs"}, "Home"),
        ({"name": "", "category": "Docs"}, "Docs"),
        ({"properties": {"category": "Docs"}}, "Docs"),
        ({}, None),
    ],
)
@pytest.mark.parametrize("kind", ["page", "screen"])
def test_a_view_is_named_by_its_name_or_else_its_category(
    kind: str, said: dict[str, Any], name: str | None
) -> None:
    assert read(type=kind, **said).name == name


def test_traits_are_read_from_the_call_or_else_from_its_context() -> None:
    in_context = {"traits": {"email": "context"}}

    assert read(type="identify", context=in_context).traits == {"email": "context"}
    assert read(type="identify", traits={}, context=in_context).traits == {"email": "context"}
    both = read(type="identify", traits={"email": "call"}, context=in_context)
    assert both.traits == {"email": "call"}


def test_the_original_timestamp_stands_in_for_a_missing_one() -> None:
    assert read(originalTimestamp="o").timestamp == "o"
    assert read(timestamp=None, originalTimestamp="o").timestamp == "o"
    assert read(timestamp="t", originalTimestamp="o").timestamp == "t"


def test_impersonation_is_read_where_it_is_plainly_true() -> None:
    assert read(context={"impersonated": True}).impersonated
    assert read(properties={"impersonated": True}).impersonated
    assert not read(context={"impersonated": "true"}, properties={"impersonated": 1}).impersonated


@pytest.mark.parametrize("odd", [None, [], "x", 1])
def test_what_is_no_object_is_read_as_an_empty_one(odd: object) -> None:
    call = read(context=odd, properties=odd, traits=odd)

    assert (call.properties, call.traits, call.sdk, call.account_id) == ({}, {}, None, None)


@pytest.mark.parametrize("library", [None, [], {}, {"version": "1"}, {"name": ""}])
def test_without_a_named_library_there_is_no_sdk(library: object) -> None:
    assert read(context={"library": library}).sdk is None
    assert len(read(context={"library": {"name": "x" * 999}}).sdk) == 100
