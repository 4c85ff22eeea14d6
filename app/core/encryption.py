"""Encrypt secrets that must be read back, such as webhook secrets, with AES-GCM."""

import os
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import orjson
from fastapi import Depends, Request

from app.core.errors import StorageUnavailableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES, NONCE_BYTES = 32, 12


class DecryptionError(Exception):
    """The value was encrypted with another key or for another context, or was changed later."""


class Encryptor:
    """Encrypt and decrypt JSON values with one key.

    ``context`` identifies the row of the value: a copy in another row cannot be decrypted.
    """

    def __init__(self, key: bytes | None) -> None:
        self._key = key

    @classmethod
    def from_base64(cls, key: str | None) -> Self:
        """Make an encryptor from a key in base64; without a key, its methods raise."""
        return cls(decode_key(key) if key else None)

    def encrypt(self, value: Any, *, context: str) -> bytes:  # noqa: ANN401 - any JSON value
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._require_cipher().encrypt(nonce, orjson.dumps(value), context.encode())

    def decrypt(self, encrypted: bytes, *, context: str) -> Any:  # noqa: ANN401 - any JSON value
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - loaded at its first use

        nonce, ciphertext = encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:]
        try:
            return orjson.loads(self._require_cipher().decrypt(nonce, ciphertext, context.encode()))
        except InvalidTag:
            raise DecryptionError(
                f"The secret of {context} cannot be decrypted: it was encrypted with another key."
            ) from None

    def _require_cipher(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        if self._key is None:
            raise StorageUnavailableError(
                "HEALTH_ENCRYPTION_KEY is not set; nothing was stored. Set it and start again."
            )
        return AESGCM(self._key)


async def _encryptor(request: Request) -> Encryptor:
    encryptor: Encryptor = request.app.state.encryptor
    return encryptor


EncryptorDep = Annotated[Encryptor, Depends(_encryptor)]


def decode_key(text: str) -> bytes:
    """Decode a key of 32 bytes from base64; raise ValueError if it is not such a key."""
    try:
        key = b64decode(text, validate=True)
    except Base64Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(
            "The key must be 32 bytes in base64: use the output of `openssl rand -base64 32`."
        )
    return key


def load_or_create_key(folder: Path) -> str:
    """Return the key stored in a folder; the first process creates it."""
    path = folder / "encryption.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.touch(mode=0o600)
        new.write_bytes(b64encode(os.urandom(KEY_BYTES)))
        with suppress(FileExistsError):  # another process was faster: use its key
            os.link(new, path)
        new.unlink()
    return path.read_text()
