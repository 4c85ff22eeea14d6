"""The PostHog dialect: which call each event of an SDK is, and of whom."""

from typing import Any

import pytest

from app.events.reading import posthog
from app.events.reading.canonical import DialectCall
from app.events.reading.posthog_bodies import parse_body, with_sdk


def parse(event: object = "Report Exported", **fields: Any) -> DialectCall:  # noqa: ANN401
    return posthog.parse_call({"event": event, "distinct_id": "ada", **fields})


def test_an_event_is_parsed_field_by_field() -> None:
    call = parse(
        uuid="u-1",
        timestamp="t",
        properties={
            "rows": 3,
            "$groups": {"project": "p", "company": "acme"},
            "$lib": "posthog-node",
            "$lib_version": "5.70.0",
            "$os": "Linux",
        },
    )

    assert (call.kind, call.name, call.message_id) == ("track", "Report Exported", "u-1")
    assert (call.timestamp, call.account_id, call.user_id) == ("t", "acme", "ada")
    assert (call.properties, call.sdk) == ({"rows": 3}, "posthog-node/5.70.0")
    assert (call.anonymous_id, call.traits, call.hints) == (None, {}, ())


@pytest.mark.parametrize(
    ("event", "properties", "kind", "name"),
    [
        ("$pageview", {}, "page", None),
        ("$autocapture", {}, "page", "$autocapture"),
        ("$feature_flag_called", {}, "page", "$feature_flag_called"),
        ("$screen", {"$screen_name": "Home"}, "screen", "Home"),
        ("Export", {}, "track", "Export"),
        (None, {}, "track", None),
        (["$set"], {}, "track", ["$set"]),
    ],
)
def test_events_that_the_sdk_makes_are_views(
    event: object, properties: dict[str, Any], kind: str, name: object
) -> None:
    call = parse(event, properties=properties)

    assert (call.kind, call.name) == (kind, name)


@pytest.mark.parametrize(
    "fields",
    [
        {"properties": {"$process_person_profile": False}},
        {"properties": {"$is_identified": False}},
        {"properties": {"$device_id": "ada"}},
        {"options": {"process_person_profile": False}},
    ],
)
def test_a_person_who_is_not_identified_is_anonymous(fields: dict[str, Any]) -> None:
    call = parse(**fields)

    assert (call.user_id, call.anonymous_id) == (None, "ada")


def test_visitors_without_cookies_are_not_one_person() -> None:
    call = parse(distinct_id="$posthog_cookieless")

    assert (call.user_id, call.anonymous_id) == (None, None)


@pytest.mark.parametrize(
    ("library", "distinct_id", "alias"),
    [
        ("posthog-python", "visitor", "ada"),
        ("posthog-node", "ada", "visitor"),
        ("web", "ada", "visitor"),
    ],
)
def test_an_alias_is_the_other_way_round_in_python(
    library: str, distinct_id: str, alias: str
) -> None:
    properties = {"distinct_id": distinct_id, "alias": alias, "$lib": library}
    call = parse("$create_alias", distinct_id=distinct_id, properties=properties)

    assert (call.kind, call.user_id, call.previous_id) == ("alias", "ada", "visitor")
    assert call.properties == {}


def test_identify_names_the_person_and_the_visitor_before() -> None:
    call = parse(
        "$identify",
        properties={"$anon_distinct_id": "visitor"},
        **{"$set": {"email": "ada@acme.example", "$browser": "x"}, "$set_once": {"$os": "Linux"}},
    )

    assert (call.kind, call.user_id, call.anonymous_id) == ("identify", "ada", "visitor")
    assert (call.traits, call.hints) == ({"email": "ada@acme.example"}, ())


@pytest.mark.parametrize("place", ["beside", "inside"])
def test_set_changes_the_person(place: str) -> None:
    values = {"$set": {"role": "admin"}, "$set_once": {"source": "ad"}}
    fields: dict[str, Any] = values if place == "beside" else {"properties": values}
    call = parse("$set", **fields)

    assert (call.kind, call.traits) == ("identify", {"role": "admin"})
    assert call.hints == (posthog.SET_ONCE_HINT,)


def test_set_of_another_event_is_hinted_at() -> None:
    assert parse(properties={"$set": {"role": "admin"}}).hints == (posthog.SET_HINT,)


def test_a_group_is_an_account_and_its_made_up_person_is_nobody() -> None:
    properties = {
        "$group_type": "company",
        "$group_key": "acme",
        "$group_set": {"name": "Acme", "mrr": 99},
    }
    call = parse("$groupidentify", distinct_id="$company_acme", properties=properties)

    assert (call.kind, call.account_id, call.user_id) == ("group", "acme", None)
    assert (call.traits, call.hints) == ({"name": "Acme", "mrr": 99}, ())
    of_browser = parse("$groupidentify", properties={**properties, "$user_id": "ada"})
    assert of_browser.user_id == "ada"


def test_a_group_of_another_type_is_no_account() -> None:
    call = parse("$groupidentify", properties={"$group_type": "project", "$group_key": "p1"})

    assert (call.account_id, call.hints) == (None, (posthog.GROUP_HINT,))
    assert parse(properties={"$groups": {"project": "p1"}}).hints == (posthog.GROUP_HINT,)


def test_the_key_is_removed_from_bodies_and_events() -> None:
    single = parse_body(
        b'{"api_key": "hk_a", "event": "Export", "properties": {"token": "hk_a", "rows": 1}}'
    )
    batch = parse_body(b'[{"event": "Export", "properties": {"token": "hk_a"}}]')
    own = parse_body(b'{"event": "Export", "properties": {"token": "customer-token"}}')

    assert (single.write_key, single.events) == (
        "hk_a",
        [{"event": "Export", "properties": {"rows": 1}}],
    )
    assert (batch.write_key, batch.events) == ("hk_a", [{"event": "Export", "properties": {}}])
    assert own.events[0]["properties"] == {"token": "customer-token"}


def test_a_form_of_a_closing_page_is_read() -> None:
    encoded = b"data=eyJldmVudCI6ICJFeHBvcnQifQ%3D%3D"  # {"event": "Export"}

    assert parse_body(encoded).events == [{"event": "Export"}]
    assert parse_body(b"data=%7B%22event%22%3A+%22Export%22%7D").events == [{"event": "Export"}]


def test_the_sdk_of_a_header_is_written_into_the_events() -> None:
    batch = with_sdk(
        parse_body(b'{"batch": [{"event": "Export"}, 7]}'), "posthog-python/7.91.1", "s"
    )

    library = {"$lib": "posthog-python", "$lib_version": "7.91.1"}
    assert batch.events == [{"event": "Export", "properties": library}, 7]
    assert batch.sent_at == "s"
