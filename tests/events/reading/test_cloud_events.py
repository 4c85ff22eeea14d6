"""The CloudEvents dialect: the attributes and the data of an event as a track call."""

from typing import Any

import pytest

from app.core.errors import UnsupportedMediaTypeError
from app.events.reading import cloud_events
from app.events.reading.canonical import DialectCall
from app.events.reading.cloud_event_bodies import parse_body
from app.events.reading.errors import NotAnObjectError
from app.events.reading.quarantine_codes import QuarantineError

REQUIRED = {"id": "e1", "source": "/app", "specversion": "1.0", "type": "report.exported"}


def parse(**fields: Any) -> DialectCall:  # noqa: ANN401
    return cloud_events.parse_call({**REQUIRED, **fields})


def test_an_event_is_parsed_field_by_field() -> None:
    call = parse(
        time="t",
        subject="acme",
        userid="ada",
        anonymousid="visitor",
        endcustomerid="c-42",
        data={"rows": 3},
    )

    assert (call.kind, call.name, call.message_id) == ("track", "report.exported", "e1")
    assert (call.timestamp, call.account_id, call.user_id) == ("t", "acme", "ada")
    assert call.anonymous_id == "visitor"
    assert call.properties == {"source": "/app", "end_customer_id": "c-42", "rows": 3}


@pytest.mark.parametrize(
    ("fields", "account_id"),
    [
        ({"subject": "s"}, "s"),
        ({"subject": "s", "data": {"account_id": "d"}}, "d"),
        ({"subject": "s", "data": {"account_id": "d"}, "accountid": "a"}, "a"),
        ({"accountId": "a"}, None),
    ],
)
def test_the_account_is_searched_in_order(fields: dict[str, Any], account_id: str | None) -> None:
    assert parse(**fields).account_id == account_id


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, "", 7])
def test_a_required_attribute_that_is_missing_is_named(name: str, value: object) -> None:
    with pytest.raises(QuarantineError, match="invalid_cloud_event") as error:
        parse(**{name: value})

    assert error.value.pointer == f"/{name}"


def test_attributes_that_are_not_read_are_hinted_at_or_left_out() -> None:
    body = b'{"id": "e1", "traceparent": "00-1", "accountId": "a", "datacontenttype": "text/xml"}'
    [event] = parse_body({"content-type": "application/cloudevents+json"}, body).events

    assert event == {"id": "e1", "accountId": "a"}
    assert parse(**event).hints == ("`accountId` is not read; did you mean `accountid`?",)


def test_another_version_is_quarantined() -> None:
    with pytest.raises(QuarantineError, match="invalid_cloud_event"):
        parse(specversion="0.3")


@pytest.mark.parametrize(
    ("fields", "properties"),
    [
        ({"data": "text"}, {"data": "text"}),
        ({"data": [1]}, {"data": [1]}),
        ({"data_base64": "AQ=="}, {"data_base64": "AQ=="}),
        ({}, {}),
    ],
)
def test_data_that_is_no_object_is_one_property(
    fields: dict[str, Any], properties: dict[str, Any]
) -> None:
    assert parse(**fields).properties == {"source": "/app", **properties}


HEADERS = {f"ce-{name}": value for name, value in REQUIRED.items()}


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        ("application/json; charset=utf-8", b'{"rows": 3}', {"data": {"rows": 3}}),
        ("application/vnd.acme+json", b"[1]", {"data": [1]}),
        ("text/plain", b"text", {"data": "text"}),
        ("image/png", b"\xff\x00", {"data_base64": "/wA="}),
        ("application/json", b"", {}),
    ],
)
def test_attributes_may_be_headers(content_type: str, body: bytes, data: dict[str, Any]) -> None:
    headers = {**HEADERS, "content-type": content_type, "ce-subject": "%C5%81%C3%B3d%C5%BA"}

    assert parse_body(headers, body).events == [{**REQUIRED, "subject": "Łódź", **data}]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("cloudevents+json", b"[]"), ("cloudevents-batch+json", b"{}"), ("cloudevents+json", b"7")],
)
def test_the_body_must_be_what_its_type_says(content_type: str, body: bytes) -> None:
    with pytest.raises(NotAnObjectError):
        parse_body({"content-type": f"application/{content_type}"}, body)


def test_other_formats_are_refused() -> None:
    with pytest.raises(UnsupportedMediaTypeError, match="as JSON"):
        parse_body({"content-type": "application/cloudevents+avro"}, b"{}")
