"""Check the URL, the headers and the filter of an endpoint; no host name is resolved."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from socket import inet_aton, inet_ntoa

from app.core.errors import FieldError, UnprocessableError
from app.core.filters.parser import FilterError
from app.webhooks.address_policy import AddressDeniedError, Network, check_addresses
from app.webhooks.endpoint_secrets import FIXED_HEADERS
from app.webhooks.message_types import parse_message_filter

MAX_PORT = 65535
HOST_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
RESERVED_HEADERS = {
    *FIXED_HEADERS,
    *("host", "content-length", "content-encoding", "transfer-encoding", "connection"),
    *("upgrade", "te", "trailer", "expect", "keep-alive", "proxy-connection"),
    *("webhook-id", "webhook-timestamp", "webhook-signature"),
}


class InvalidEndpointError(UnprocessableError):
    """A field of an endpoint is invalid; the message says why."""

    code = "invalid_endpoint"

    def __init__(self, message: str, field: str = "url") -> None:
        errors = [FieldError(f"/body/{field}", message)]
        super().__init__(f"The endpoint is invalid: {message}", errors=errors)


def validate_url(text: str, allowed: Sequence[Network]) -> str:
    """Return the normalized URL, or raise InvalidEndpointError.

    Addresses that the host name resolves to are checked with each connection.
    """
    from httpx import URL, InvalidURL  # noqa: PLC0415 - it takes time and memory to load

    try:
        url = URL(text)
        host = url.host
    except (InvalidURL, UnicodeError):  # UnicodeError: the host is not valid punycode
        raise InvalidEndpointError("This is not a URL such as https://host/path.") from None
    if url.scheme not in {"https", "http"} or not host:
        raise InvalidEndpointError("The URL must start with https:// and contain a host.")
    if url.port is not None and not 0 < url.port <= MAX_PORT:
        raise InvalidEndpointError(f"The port must be between 1 and {MAX_PORT}.")
    if url.userinfo or url.fragment:
        raise InvalidEndpointError(
            "The URL must not contain credentials or a fragment: put credentials into `headers`."
        )
    if url.scheme == "http" and not allowed:
        raise InvalidEndpointError(
            "The URL must use https: http is only for networks in HEALTH_WEBHOOK_ALLOWED_NETWORKS."
        )
    literal = _literal_address(host)
    if literal is None and not HOST_NAME.fullmatch(url.raw_host.decode()):
        raise InvalidEndpointError("The host name is invalid: use letters, digits, dots, - and _.")
    if literal is not None:
        try:
            check_addresses([literal], allowed, plain=url.scheme == "http")
        except AddressDeniedError as error:
            raise InvalidEndpointError(str(error)) from None
    return str(url)


def redact_url(text: str, *, secret_path: bool) -> str:
    """Return the URL without what may be secret: its query and, with ``secret_path``, its path."""
    from httpx import URL  # noqa: PLC0415 - it takes time and memory to load

    url = URL(text)
    if secret_path:
        return f"{url.scheme}://{url.netloc.decode()}/…"
    return str(url.copy_with(query=None)) + ("?…" if url.query else "")


def _literal_address(host: str) -> str | None:
    """Return the address that a host denotes, also for 127.1, 0x7f.1 and 2130706433."""
    with suppress(ValueError):
        return str(ip_address(host))
    with suppress(OSError, ValueError):
        return inet_ntoa(inet_aton(host))
    return None


def validate_headers(given: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers with lower-case names, as HTTP compares them."""
    headers = {name.lower(): value for name, value in given.items()}
    if reserved := sorted(RESERVED_HEADERS & headers.keys()):
        raise InvalidEndpointError(
            f"The header {reserved[0]} is set by the service: leave it out.", "headers"
        )
    if len(headers) < len(given):
        raise InvalidEndpointError(
            "A header is given twice: names that differ in case only are equal.", "headers"
        )
    return headers


def check_filter(raw: object) -> None:
    try:
        parse_message_filter(raw)
    except FilterError as error:
        raise InvalidEndpointError(str(error), f"filter{error.pointer}") from None
