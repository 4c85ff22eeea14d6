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
    """Return what every form of a session must send; it does not tell the token of the session."""
    digest = hmac.digest(session_token.encode(), b"form", sha256)
    return urlsafe_b64encode(digest).decode().rstrip("=")


def is_csrf_token(text: str, session_token: str) -> bool:
    return hmac.compare_digest(text.encode(), csrf_token(session_token).encode())
