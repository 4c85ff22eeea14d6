"""URLs that messages may be sent to, as far as can be told without asking for their addresses."""

import re
from collections.abc import Sequence
from ipaddress import ip_address
from socket import inet_aton, inet_ntoa

from httpx import URL, InvalidURL

from app.webhooks.addresses import DeniedError, Network, judge

LAST_PORT = 65535
NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")


class TargetError(ValueError):
    """Says in a sentence why nothing can be sent there."""


def checked(text: str, allowed: Sequence[Network]) -> str:
    """Return a URL as it is dialled. What its name leads to is judged with each connection."""
    try:
        url = URL(text)
        host = url.host
    except (InvalidURL, UnicodeError):  # the second: a host that is no punycode
        raise TargetError("This is not a URL.") from None
    if url.scheme not in {"https", "http"} or not host:
        raise TargetError("A URL is wanted that begins with https:// and names a host.")
    if url.port is not None and not 0 < url.port <= LAST_PORT:
        raise TargetError(f"A port is a number from 1 to {LAST_PORT}.")
    if url.userinfo or url.fragment:
        raise TargetError("Put credentials into headers; a fragment is never sent.")
    if url.scheme == "http" and not allowed:
        raise TargetError("Only https is sent to.")
    literal = _literal(host)
    if literal is None and not NAME.fullmatch(url.raw_host.decode()):
        raise TargetError("This is no name of a host.")
    if literal is not None:
        try:
            judge([literal], allowed, plain=url.scheme == "http")
        except DeniedError as error:
            raise TargetError(str(error)) from None
    return str(url)


def shown(text: str, *, secret_path: bool) -> str:
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
