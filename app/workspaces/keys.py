"""The text of API keys: ``hk_<id>_<secret><checksum>``, 256 secret bits, easy to find in leaks."""

import hmac
import secrets
import string
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from zlib import crc32

ALPHABET = string.digits + string.ascii_letters
ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 10, 43, 6
SECRET_BITS = 256


class Scope(StrEnum):
    INGEST_WRITE = "ingest:write"
    HEALTH_READ = "health:read"
    ACCOUNTS_WRITE = "accounts:write"
    ALERTS_WRITE = "alerts:write"
    WEBHOOKS_WRITE = "webhooks:write"
    MODELS_WRITE = "models:write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key with its full text, which is never stored."""

    id: str
    text: str

    @property
    def key_hash(self) -> bytes:
        return hash_key(self.text)


def generate_key() -> NewKey:
    identifier = _base62(secrets.randbits(59), ID_LENGTH)
    body = f"hk_{identifier}_{_base62(secrets.randbits(SECRET_BITS), SECRET_LENGTH)}"
    return NewKey(identifier, body + _checksum(body))


def parse_key_id(text: str) -> str | None:
    """Return the public id of a well-formed key; None saves a query for any other text."""
    parts = text.split("_")
    if len(parts) != 3 or parts[0] != "hk" or not text.isascii():  # noqa: PLR2004
        return None
    body, checksum = text[:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    return parts[1] if hmac.compare_digest(_checksum(body), checksum) else None


def hash_key(text: str) -> bytes:
    """Hash a key. SHA-256 without salt is enough: 256 random bits cannot be guessed."""
    return sha256(text.encode()).digest()


def matches(text: str, key_hash: bytes) -> bool:
    return hmac.compare_digest(hash_key(text), key_hash)


def _checksum(body: str) -> str:
    return _base62(crc32(body.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
