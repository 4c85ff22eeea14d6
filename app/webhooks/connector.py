"""Open connections to checked addresses only.

A host name is resolved once for each connection; the addresses that were checked are the ones
that are connected to, so that a second DNS answer cannot lead elsewhere.
"""

import asyncio
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from app.webhooks.address_policy import Network, check_addresses

CONNECT_SECONDS = 5.0
MAX_ADDRESSES = 4


class NameUnresolvedError(Exception):
    """The host name could not be resolved."""


class ConnectFailedError(Exception):
    """No address accepted the connection, or the TLS handshake failed."""


@dataclass(frozen=True, slots=True)
class HttpOrigin:
    """The host and port of a connection; without ``tls`` it is plain HTTP."""

    host: str
    port: int
    tls: ssl.SSLContext | None


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
Connect = Callable[[str, HttpOrigin], Awaitable[tuple[StreamReader, StreamWriter]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host name, or the address itself if the host is one.

    The lookup runs in a thread: a name server that hangs blocks that thread only, and the
    caller's timeout still applies.
    """
    try:
        answers = await asyncio.to_thread(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NameUnresolvedError(host) from None
    return list(dict.fromkeys(str(address[4][0]) for address in answers))


async def connect(address: str, origin: HttpOrigin) -> tuple[StreamReader, StreamWriter]:
    """Connect to an address. With TLS, verify the certificate against the origin's host name."""
    name = origin.host if origin.tls else None
    return await asyncio.open_connection(address, origin.port, ssl=origin.tls, server_hostname=name)


@dataclass(frozen=True, slots=True)
class Connector:
    """Opens connections to public addresses and to ``allowed`` networks of the operator."""

    allowed: Sequence[Network]
    resolve: Resolve = resolve
    connect: Connect = connect

    async def open_connection(self, origin: HttpOrigin) -> tuple[StreamReader, StreamWriter]:
        """Try the host's first addresses in turn.

        Raise AddressDeniedError if any address is denied, ConnectFailedError if none accepts.
        """
        names = await self.resolve(origin.host, origin.port)
        addresses = check_addresses(names, self.allowed, plain=origin.tls is None)
        for address in addresses[:MAX_ADDRESSES]:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await self.connect(str(address), origin)
            except (OSError, TimeoutError):
                continue
        raise ConnectFailedError(origin.host)
