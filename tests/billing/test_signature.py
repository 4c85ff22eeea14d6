"""Our signature code, checked against Stripe's own package."""

from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from app.billing.signature import is_signed, sign

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
SECRET = "whsec_of_a_test"  # noqa: S105 - a test value
BODY = b'{"id": "evt_1"}'


def header(body: bytes = BODY, *, secret: str = SECRET, at: datetime = NOW) -> str:
    seconds = int(at.timestamp())
    return f"t={seconds},v1={sign(body, secret, seconds=seconds)}"


@given(
    body=st.text(), secret=st.text(min_size=1).filter(str.strip)
)  # Stripe treats a blank secret as missing
def test_stripe_and_we_accept_each_other_s_signatures(body: str, secret: str) -> None:
    theirs = stripe.WebhookSignature.generate_signature_header(
        body, secret, timestamp=int(NOW.timestamp())
    )

    assert theirs == header(body.encode(), secret=secret)
    assert is_signed(theirs, body.encode(), secret, now=NOW)
    assert stripe.WebhookSignature.verify_header(body, theirs, secret, tolerance=None)


@given(body=st.text(), other=st.text())
def test_a_signature_matches_only_its_own_body_and_secret(body: str, other: str) -> None:
    signed = header(body.encode())

    assert is_signed(signed, other.encode(), SECRET, now=NOW) is (body == other)
    assert not is_signed(signed, body.encode(), SECRET + "x", now=NOW)


def test_one_valid_signature_of_several_is_enough() -> None:
    time, _, new = header().partition(",")
    old = sign(BODY, "whsec_the_old", seconds=int(NOW.timestamp()))

    for several in (f"{time},v1={old},{new}", f"{time},{new},v1={old},v0=abc", f"{time}, {new}"):
        assert is_signed(several, BODY, SECRET, now=NOW)


@pytest.mark.parametrize(
    ("minutes", "is_valid"), [(0, True), (4.9, True), (5.1, False), (-9, True)]
)
def test_a_signature_is_valid_for_five_minutes(minutes: float, is_valid: bool) -> None:  # noqa: FBT001
    signed = header(at=NOW - timedelta(minutes=minutes))

    assert is_signed(signed, BODY, SECRET, now=NOW) is is_valid


@pytest.mark.parametrize(
    "broken",
    [
        *("", ",", "=", "t=", "v1=", "t=,v1=", "nonsense", "t=1e9,v1=x", "t=-1,v1=x"),
        *("t=9999999999999999999999,v1=x", "t=٣,v1=x", "t=1773835200,v1=é", "t=1773835200"),
        *("t=1773835200,v0=abc", "t=1773835200,v1="),
    ],
)
def test_a_header_without_a_valid_signature_is_rejected(broken: str) -> None:
    assert not is_signed(broken, BODY, SECRET, now=NOW)
