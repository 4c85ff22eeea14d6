"""The check of a received webhook (Standard Webhooks 1.0.0)."""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from customer_health.api_errors import CustomerHealthError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from customer_health import models

TOLERANCE_SECONDS = 300
PREFIX, VERSION = "whsec_", "v1,"


class SignatureError(CustomerHealthError):
    """The request is not from this service, or it is too old: answer 400 and do nothing."""


def verify_webhook(
    body: bytes, headers: Mapping[str, str], *secrets: str, now: float | None = None
) -> models.WebhookMessage:
    """Return the message of a request if one of the secrets has signed it.

    ``body`` is the body as received, byte for byte. The header ``webhook-id`` is the same in each
    repetition of a message: remember it, so that a repetition has no effect.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    id_, at = sent.get("webhook-id", ""), sent.get("webhook-timestamp", "")
    _check_time(at, time.time() if now is None else now)
    signed = f"{id_}.{at}.".encode() + body
    valid = [_signature(secret, signed) for secret in secrets]
    received = sent.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(a.encode(), b.encode()) for a in received for b in valid):
        raise SignatureError("No signature of the request is of one of the secrets.")
    message: models.WebhookMessage = json.loads(body)
    return message


def _check_time(at: str, now: float) -> None:
    if not (at.isascii() and at.isdigit()):
        raise SignatureError("The header webhook-timestamp is missing, or is no number.")
    if abs(now - int(at)) > TOLERANCE_SECONDS:
        raise SignatureError("The timestamp is more than 5 minutes off: check your clock.")


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(PREFIX))
    return VERSION + b64encode(hmac.digest(key, signed, sha256)).decode()
