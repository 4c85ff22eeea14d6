"""Compared with the reference package of Standard Webhooks, in both directions."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from app.webhooks.signature import headers, new_secret

BODY = '{"type":"alert.opened","data":{"name":"Zoë ☃"}}'.encode()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the specification


def just_now() -> datetime:
    return datetime.now(UTC)


def test_the_test_vector_of_the_specification_is_reproduced() -> None:
    signed = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        [SECRET],
        at=datetime.fromtimestamp(1614265330, UTC),
    )

    assert signed == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.text(max_size=300), st.integers(0, 2**33), st.binary(min_size=24, max_size=24))
def test_signatures_equal_those_of_the_package(text: str, seconds: int, key: bytes) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    theirs = Webhook(key)
    secret = new_secret()

    assert headers("msg_1", text.encode(), [secret], at=at)["webhook-signature"] == Webhook(
        secret
    ).sign("msg_1", at, text)
    assert theirs.sign("msg_1", at, text) != Webhook(secret).sign("msg_1", at, text)


def test_the_package_verifies_our_signatures() -> None:
    signed = headers("msg_1", BODY, [SECRET], at=just_now())

    assert Webhook(SECRET).verify(BODY, dict(signed))["type"] == "alert.opened"


@pytest.mark.parametrize("minutes", [-4.9, 4.9])
def test_a_timestamp_less_than_five_minutes_off_is_accepted(minutes: float) -> None:
    signed = headers("msg_1", BODY, [SECRET], at=just_now() + timedelta(minutes=minutes))

    assert Webhook(SECRET).verify(BODY, dict(signed))


@pytest.mark.parametrize(("minutes", "message"), [(-5.1, "too old"), (5.1, "too new")])
def test_a_timestamp_more_than_five_minutes_off_is_refused(minutes: float, message: str) -> None:
    signed = headers("msg_1", BODY, [SECRET], at=just_now() + timedelta(minutes=minutes))

    with pytest.raises(WebhookVerificationError, match=message):
        Webhook(SECRET).verify(BODY, dict(signed))


@pytest.mark.parametrize(
    "changed",
    [{"webhook-id": "msg_2"}, {"webhook-signature": "v1,AAAA"}, {"webhook-signature": "v2,AAAA"}],
)
def test_a_changed_message_is_refused(changed: dict[str, str]) -> None:
    signed = headers("msg_1", BODY, [SECRET], at=just_now())

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, {**signed, **changed})
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b" ", dict(signed))


def test_during_a_rotation_a_receiver_can_verify_with_either_secret() -> None:
    old, new = new_secret(), new_secret()
    signed = headers("msg_1", BODY, [new, old], at=just_now())

    assert signed["webhook-signature"].count("v1,") == 2
    for known in (old, new):
        assert Webhook(known).verify(BODY, dict(signed))
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, dict(signed))


def test_a_secret_is_24_bytes_and_needs_no_padding() -> None:
    text = new_secret().removeprefix("whsec_")

    assert "=" not in text
    assert len(b64decode(text)) == 24
    assert new_secret() != new_secret()
