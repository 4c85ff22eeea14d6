"""Verify that Stripe signed a request lately, without the 31 MB of Stripe's package."""

import hmac
from datetime import datetime, timedelta
from hashlib import sha256

TOLERANCE = timedelta(minutes=5)


def is_signed(header: str, body: bytes, secret: str, *, now: datetime) -> bool:
    """Check ``t=<seconds>,v1=<hex>[,v1=<hex>]``: while a secret is rolled there are several."""
    parts = [part.partition("=")[::2] for part in header.split(",")]
    times = [value for name, value in parts if name.strip() == "t"]
    if not times or not (times[0].isascii() and times[0].isdigit()) or len(times[0]) > 12:  # noqa: PLR2004
        return False
    if now.timestamp() - int(times[0]) > TOLERANCE.total_seconds():
        return False
    expected = sign(body, secret, seconds=int(times[0])).encode()
    signatures = [value.strip() for name, value in parts if name.strip() == "v1"]
    return any(hmac.compare_digest(expected, each.encode()) for each in signatures)


def sign(body: bytes, secret: str, *, seconds: int) -> str:
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, sha256).hexdigest()
