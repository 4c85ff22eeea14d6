"""What must be read again but not be seen in the database: sealed with AES-GCM."""

import os
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Self

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Depends, Request

from app.core.errors import StorageUnavailableError

KEY_BYTES, NONCE_BYTES = 32, 12


class DecryptionError(Exception):
    """It was sealed with another key, for another place, or was changed since."""


class Encryptor:
    """Seals values for a place, such as the row that holds them: elsewhere they do not open."""

    def __init__(self, key: bytes | None) -> None:
        self._cipher = AESGCM(key) if key else None

    @classmethod
    def of(cls, text: str | None) -> Self:
        return cls(decode_key(text) if text else None)

    def seal(self, value: Any, *, place: str) -> bytes:  # noqa: ANN401 - any JSON value
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._opened().encrypt(nonce, orjson.dumps(value), place.encode())

    def open(self, sealed: bytes, *, place: str) -> Any:  # noqa: ANN401 - any JSON value
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return orjson.loads(self._opened().decrypt(nonce, rest, place.encode()))
        except InvalidTag:
            raise DecryptionError(f"{place} cannot be opened with this key.") from None

    def _opened(self) -> AESGCM:
        if self._cipher is None:
            raise StorageUnavailableError("HEALTH_ENCRYPTION_KEY is not set; nothing was stored.")
        return self._cipher


async def _vault(request: Request) -> Encryptor:
    vault: Encryptor = request.app.state.vault
    return vault


EncryptorDep = Annotated[Encryptor, Depends(_vault)]


def decode_key(text: str) -> bytes:
    """Read a key, 32 bytes in base64; raises ValueError."""
    try:
        key = b64decode(text, validate=True)
    except Base64Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("HEALTH_ENCRYPTION_KEY is to be 32 bytes in base64.")
    return key


def load_or_create_key(folder: Path) -> str:
    """Return the key that is kept in a folder; the first who asks makes it."""
    path = folder / "encryption.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = path.with_suffix(f".{os.getpid()}")
        made.touch(mode=0o600)
        made.write_bytes(b64encode(os.urandom(KEY_BYTES)))
        with suppress(FileExistsError):  # another process was faster: its key is the one
            os.link(made, path)
        made.unlink()
    return path.read_text()
