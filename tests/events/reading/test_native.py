from typing import Any

import pytest

from app.events.reading import native
from app.events.reading.quarantine_codes import QuarantineError


def parse(**fields: object) -> Any:  # noqa: ANN401 - a call, of which any field is looked at
    return native.parse_call(fields)


def test_a_call_is_parsed_field_by_field() -> None:
    call = parse(
        event="Export",
        message_id="m1",
        timestamp="t",
        sent_at="s",
        account_id="a1",
        user_id="ada",
        anonymous_id="anon",
        previous_id="before",
        properties={"rows": 3},
        traits={"x": 1},
        sdk="mine/1",
    )

    assert (call.kind, call.name, call.message_id) == ("track", "Export", "m1")
    assert (call.timestamp, call.sent_at) == ("t", "s")
    assert (call.account_id, call.user_id, call.anonymous_id) == ("a1", "ada", "anon")
    assert (call.previous_id, call.properties, call.traits) == ("before", {"rows": 3}, {"x": 1})
    assert (call.sdk, call.impersonated) == ("mine/1", False)


@pytest.mark.parametrize("kind", [None, "x", [], {}])
def test_an_unknown_type_is_quarantined(kind: object) -> None:
    assert parse(type="page", name="Home").name == "Home"
    with pytest.raises(QuarantineError, match="unknown_type"):
        parse(type=kind)


def test_a_top_level_end_customer_is_added_to_the_properties() -> None:
    properties = {"rows": 3}

    assert parse(properties=properties, end_customer_id="c1").properties == {
        "rows": 3,
        "end_customer_id": "c1",
    }
    assert properties == {"rows": 3}
    assert parse(properties=properties).properties == {"rows": 3}


@pytest.mark.parametrize("odd", [None, [], "x", 1])
def test_fields_that_are_not_objects_count_as_empty_objects(odd: object) -> None:
    call = parse(properties=odd, traits=odd, impersonated=odd)

    assert (call.properties, call.traits, call.impersonated) == ({}, {}, False)


def test_camel_case_names_are_ignored() -> None:
    call = parse(messageId="m1", userId="ada", groupId="a1")

    assert (call.message_id, call.user_id, call.account_id) == (None, None, None)
