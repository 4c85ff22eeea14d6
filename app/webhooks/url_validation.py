"""URLs that messages may be sent to, as far as can be told without asking for their addresses."""

import re
from collections.abc import Sequence
from ipaddress import ip_address
from socket import inet_aton, inet_ntoa

from httpx import URL, InvalidURL

from app.webhooks.address_policy import AddressDeniedError, Network, check_addresses

MAX_PORT = 65535
HOST_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")


class InvalidUrlError(ValueError):
    """Says in a sentence why nothing can be sent there."""


def validate_url(text: str, allowed: Sequence[Network]) -> str:
    """Return a URL as it is dialled. What its name leads to is judged with each connection."""
    try:
        url = URL(text)
        host = url.host
    except (InvalidURL, UnicodeError):  # the second: a host that is no punycode
        raise InvalidUrlError("This is not a URL.") from None
    if url.scheme not in {"https", "http"} or not host:
        raise InvalidUrlError("A URL is wanted that begins with https:// and names a host.")
    if url.port is not None and not 0 < url.port <= MAX_PORT:
        raise InvalidUrlError(f"A port is a number from 1 to {MAX_PORT}.")
    if url.userinfo or url.fragment:
        raise InvalidUrlError("Put credentials into headers; a fragment is never sent.")
    if url.scheme == "http" and not allowed:
        raise InvalidUrlError("Only https is sent to.")
    literal = _literal(host)
    if literal is None and not HOST_NAME.fullmatch(url.raw_host.decode()):
        raise InvalidUrlError("This is no name of a host.")
    if literal is not None:
        try:
            check_addresses([literal], allowed, plain=url.scheme == "http")
        except AddressDeniedError as error:
            raise InvalidUrlError(str(error)) from None
    return str(url)


def redact_url(text: str, *, secret_path: bool) -> str:
    """Leave out what may be a secret: the query, and with some the whole path."""
    url = URL(text)
    if secret_path:
        return f"{url.scheme}://{url.netloc.decode()}/…"
    return str(url.copy_with(query=None)) + ("?…" if url.query else "")


def _literal(host: str) -> str | None:
    """Return the address that a host stands for; 127.1, 0x7f.1 and 2130706433 are such too."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        return inet_ntoa(inet_aton(host))
    except (OSError, ValueError):
        return None
