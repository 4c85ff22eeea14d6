"""Secret texts of sign-in links and sessions, and what is derived from them. Pure."""

import hmac
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256


def generate_token() -> str:
    """Return 256 random bits as text that needs no escaping in a URL or a cookie."""
    return secrets.token_urlsafe(32)


def hash_token(text: str) -> bytes:
    """Hash a token. SHA-256 without salt is enough: 256 random bits cannot be guessed."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def csrf_token(session_token: str) -> str:
    """Return what a form of a session must send. It does not tell the token of the session.

    It differs each time, so that sizes of compressed pages tell nothing of it (BREACH).
    """
    return _signed(secrets.token_urlsafe(12), session_token)


def is_csrf_token(text: str, session_token: str) -> bool:
    salt = text.partition(".")[0]
    return hmac.compare_digest(text.encode(), _signed(salt, session_token).encode())


def _signed(salt: str, session_token: str) -> str:
    digest = hmac.digest(session_token.encode(), f"form {salt}".encode(), sha256)
    return f"{salt}.{urlsafe_b64encode(digest).decode().rstrip('=')}"
