"""Check and display endpoint URLs, without resolving host names."""

import re
from collections.abc import Sequence
from ipaddress import ip_address
from socket import inet_aton, inet_ntoa

from httpx import URL, InvalidURL

from app.webhooks.address_policy import AddressDeniedError, Network, check_addresses

MAX_PORT = 65535
HOST_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")


class InvalidUrlError(ValueError):
    """Nothing can be sent to this URL; the message says why."""


def validate_url(text: str, allowed: Sequence[Network]) -> str:
    """Return the normalized URL, or raise InvalidUrlError.

    Addresses that the host name resolves to are checked with each connection.
    """
    try:
        url = URL(text)
        host = url.host
    except (InvalidURL, UnicodeError):  # UnicodeError: the host is not valid punycode
        raise InvalidUrlError("This is not a valid URL.") from None
    if url.scheme not in {"https", "http"} or not host:
        raise InvalidUrlError("The URL must start with https:// and contain a host.")
    if url.port is not None and not 0 < url.port <= MAX_PORT:
        raise InvalidUrlError(f"The port must be between 1 and {MAX_PORT}.")
    if url.userinfo or url.fragment:
        raise InvalidUrlError(
            "The URL must not contain credentials or a fragment: put credentials into `headers`."
        )
    if url.scheme == "http" and not allowed:
        raise InvalidUrlError("The URL must use https.")
    literal = _literal_address(host)
    if literal is None and not HOST_NAME.fullmatch(url.raw_host.decode()):
        raise InvalidUrlError("The host name is invalid.")
    if literal is not None:
        try:
            check_addresses([literal], allowed, plain=url.scheme == "http")
        except AddressDeniedError as error:
            raise InvalidUrlError(str(error)) from None
    return str(url)


def redact_url(text: str, *, secret_path: bool) -> str:
    """Return the URL without what may be secret: its query and, with ``secret_path``, its path."""
    url = URL(text)
    if secret_path:
        return f"{url.scheme}://{url.netloc.decode()}/…"
    return str(url.copy_with(query=None)) + ("?…" if url.query else "")


def _literal_address(host: str) -> str | None:
    """Return the address that a host denotes, also for 127.1, 0x7f.1 and 2130706433."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        return inet_ntoa(inet_aton(host))
    except (OSError, ValueError):
        return None
