from typing import Any

import pytest

from app.events.reading import segment
from app.events.reading.quarantine_codes import QuarantineError


def parse(**fields: object) -> Any:  # noqa: ANN401 - a call, of which any field is looked at
    return segment.parse_call({"type": "track", "userId": "ada", "event": "Export", **fields})


@pytest.mark.parametrize("kind", [None, "", "Track", "event", ["track"], {}, 1])
def test_an_unknown_type_is_quarantined(kind: object) -> None:
    with pytest.raises(QuarantineError, match="unknown_type"):
        parse(type=kind)


def test_a_call_is_parsed_field_by_field() -> None:
    call = parse(
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
    ("fields", "account_id"),
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
def test_the_account_is_searched_in_order(fields: dict[str, Any], account_id: str | None) -> None:
    assert parse(**fields).account_id == account_id


@pytest.mark.parametrize(
    ("fields", "name"),
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
    kind: str, fields: dict[str, Any], name: str | None
) -> None:
    assert parse(type=kind, **fields).name == name


def test_traits_are_read_from_the_call_or_else_from_its_context() -> None:
    in_context = {"traits": {"email": "context"}}

    assert parse(type="identify", context=in_context).traits == {"email": "context"}
    assert parse(type="identify", traits={}, context=in_context).traits == {"email": "context"}
    both = parse(type="identify", traits={"email": "call"}, context=in_context)
    assert both.traits == {"email": "call"}


@pytest.mark.parametrize("kind", ["group", "track", "page", "screen", "alias"])
@pytest.mark.parametrize("own", [None, {}, {"tier": 1}])
def test_traits_of_the_context_belong_to_the_person_so_only_identify_reads_them(
    kind: str, own: dict[str, int] | None
) -> None:
    call = parse(type=kind, traits=own, context={"traits": {"name": "Ada", "mrr": 77}})

    assert call.traits == (own or {})


def test_the_original_timestamp_stands_in_for_a_missing_one() -> None:
    assert parse(originalTimestamp="o").timestamp == "o"
    assert parse(timestamp=None, originalTimestamp="o").timestamp == "o"
    assert parse(timestamp="t", originalTimestamp="o").timestamp == "t"


def test_only_the_value_true_counts_as_impersonated() -> None:
    assert parse(context={"impersonated": True}).impersonated
    assert parse(properties={"impersonated": True}).impersonated
    assert not parse(context={"impersonated": "true"}, properties={"impersonated": 1}).impersonated


@pytest.mark.parametrize("odd", [None, [], "x", 1])
def test_fields_that_are_not_objects_count_as_empty_objects(odd: object) -> None:
    call = parse(context=odd, properties=odd, traits=odd)

    assert (call.properties, call.traits, call.sdk, call.account_id) == ({}, {}, None, None)


@pytest.mark.parametrize("library", [None, [], {}, {"version": "1"}, {"name": ""}])
def test_without_a_named_library_there_is_no_sdk(library: object) -> None:
    assert parse(context={"library": library}).sdk is None
    assert len(parse(context={"library": {"name": "x" * 999}}).sdk) == 100
