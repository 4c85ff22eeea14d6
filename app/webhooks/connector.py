"""Connections to judged addresses only: a name is resolved once, and what was judged is dialled."""

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
    """A name that leads nowhere."""


class ConnectFailedError(Exception):
    """Nobody there takes the connection, or not under the name that is wanted."""


@dataclass(frozen=True, slots=True)
class HttpOrigin:
    """Whom a connection leads to; without ``tls`` it is plain."""

    host: str
    port: int
    tls: ssl.SSLContext | None


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
Connect = Callable[[str, HttpOrigin], Awaitable[tuple[StreamReader, StreamWriter]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask for the addresses of a name; also reads an address that is spelt as one.

    In a thread: a name server that hangs holds that thread, and nobody waits for it too long.
    """
    try:
        found = await asyncio.to_thread(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NameUnresolvedError(host) from None
    return list(dict.fromkeys(str(address[4][0]) for address in found))


async def connect(address: str, origin: HttpOrigin) -> tuple[StreamReader, StreamWriter]:
    """Connect to an address; the certificate is to be that of the name."""
    name = origin.host if origin.tls else None
    return await asyncio.open_connection(address, origin.port, ssl=origin.tls, server_hostname=name)


@dataclass(frozen=True, slots=True)
class Connector:
    """``allowed``: what the operator lets messages go to beside the public internet."""

    allowed: Sequence[Network]
    resolve: Resolve = resolve
    connect: Connect = connect

    async def open_connection(self, origin: HttpOrigin) -> tuple[StreamReader, StreamWriter]:
        """Try the addresses in turn; raises DeniedError if any of them is denied."""
        found = await self.resolve(origin.host, origin.port)
        for address in check_addresses(found, self.allowed, plain=origin.tls is None)[
            :MAX_ADDRESSES
        ]:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await self.connect(str(address), origin)
            except (OSError, TimeoutError):
                continue
        raise ConnectFailedError(origin.host)
