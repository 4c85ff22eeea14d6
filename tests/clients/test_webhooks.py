"""The Python client accepts what the service signs, and nothing else."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from customer_health import SignatureError, verify_webhook
from standardwebhooks import Webhook

from app.webhooks import signature

AT = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
BODY = json.dumps({"type": "alert.opened", "data": {"account_id": "acme"}}).encode()
SECRET, OTHER = signature.new_secret(), signature.new_secret()
HEADERS = signature.headers("msg_1", BODY, [SECRET], at=AT)
NOW = AT.timestamp()


def test_what_the_service_signs_is_accepted_with_any_spelling_of_the_headers() -> None:
    upper = {name.title(): value for name, value in HEADERS.items()}

    assert verify_webhook(BODY, HEADERS, SECRET, now=NOW)["type"] == "alert.opened"
    assert verify_webhook(BODY, upper, SECRET, now=NOW) == json.loads(BODY)


def test_what_the_standard_library_of_the_format_signs_is_accepted() -> None:
    now = datetime.now(UTC)
    signed = Webhook(SECRET).sign("msg_1", now, BODY.decode())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signed,
    }

    assert verify_webhook(BODY, headers, SECRET) == Webhook(SECRET).verify(BODY, headers)


def test_during_a_rotation_either_side_may_have_two_secrets() -> None:
    both = signature.headers("msg_1", BODY, [OTHER, SECRET], at=AT)

    assert verify_webhook(BODY, both, SECRET, now=NOW)
    assert verify_webhook(BODY, HEADERS, OTHER, SECRET, now=NOW)


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({}, BODY + b" "),
        ({"webhook-id": "msg_2"}, BODY),
        ({"webhook-timestamp": str(int(NOW) + 1)}, BODY),
        ({"webhook-timestamp": "soon"}, BODY),
        ({"webhook-timestamp": "²"}, BODY),
        ({"webhook-signature": ""}, BODY),
        ({"webhook-signature": "v1,ü"}, BODY),
        ({"webhook-signature": HEADERS["webhook-signature"].replace("v1,", "v1a,")}, BODY),
    ],
)
def test_anything_else_is_refused(change: dict[str, str], body: bytes) -> None:
    with pytest.raises(SignatureError):
        verify_webhook(body, {**HEADERS, **change}, SECRET, now=NOW)


def test_another_secret_and_no_headers_are_refused() -> None:
    with pytest.raises(SignatureError):
        verify_webhook(BODY, HEADERS, OTHER, now=NOW)
    with pytest.raises(SignatureError):
        verify_webhook(BODY, {}, SECRET, now=NOW)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_message_and_one_of_the_future_are_refused(minutes: int) -> None:
    now = (AT + timedelta(minutes=minutes)).timestamp()

    with pytest.raises(SignatureError, match="5 minutes"):
        verify_webhook(BODY, HEADERS, SECRET, now=now)
