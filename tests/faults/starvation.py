"""Thousands of slow and huge requests without a key, beside clients that have one."""

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path

from bench.rig import memory
from bench.rig.client import HOST, percentile
from tests.faults.stand import Stand

ATTACKERS = ("127.0.0.1", "127.0.0.3")
KEYED = "127.0.0.2"
SLOW = b"PUT /api/v1/accounts/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
HUGE = b"PUT /api/v1/accounts/a HTTP/1.1\r\nHost: x\r\nContent-Length: 600000000\r\n\r\n"
CHUNK = b"0" * 65_536
DRIP_SECONDS = 0.5
LOWEST_PRIORITY = 19
FILES = 10_000
MAX_RATIO, MAX_MEGABYTES = 3.0, 60.0


def starve(stand: Stand, *, requests: int = 2_000, acks: int = 300) -> None:
    """Compare the latency of clients with a key in the quiet and during the requests without.

    ``acks``: batches in the quiet, and as many meanwhile.
    """
    allow_files()
    api = stand.start_api()
    stand.start_worker()
    stand.traffic.address = KEYED
    stand.traffic.start()
    stand.traffic.wait_for_acks(acks)
    quiet = measure(stand, acks)
    memory.reset_peak(api.process.pid)
    before = memory.resident(api.process.pid)
    with attacking(stand.traffic.port, requests):
        meanwhile = measure(stand, acks)
    grown = memory.peak(api.process.pid) - before
    latency = f"p99 rose from {quiet * 1000:.0f} to {meanwhile * 1000:.0f} ms"
    memory_use = f"the memory of the API grew by {grown:.0f} MB"
    stand.measured += [latency, memory_use]
    if meanwhile > MAX_RATIO * quiet:
        stand.unexpected.append(latency)
    if grown > MAX_MEGABYTES:
        stand.unexpected.append(memory_use)
    stand.recover()


def allow_files() -> None:
    """Let this process and its children open enough connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))


def measure(stand: Stand, acks: int) -> float:
    """Return the p99 of the waits for the next answers, in seconds."""
    stand.traffic.waits.clear()
    stand.traffic.wait_for_acks(acks)
    return percentile([*stand.traffic.waits], 0.99)


@contextmanager
def attacking(port: int, requests: int) -> Iterator[None]:
    """Have so many requests without a key, half of them slow and half of them huge.

    They come from a process of its own with the lowest priority, as a real attacker sends them from
    another machine: it takes no processor from the service, nor from the clients that are measured.
    """
    attacker = get_context("spawn").Process(target=attack, args=(port, requests), daemon=True)
    attacker.start()
    try:
        yield
    finally:
        attacker.kill()
        attacker.join()


def attack(port: int, requests: int) -> None:
    """Send all requests at once, until the service has closed all connections."""
    os.nice(LOWEST_PRIORITY)
    os.setsid()
    with suppress(OSError):  # Linux may weigh whole sessions, and priorities only within them
        Path("/proc/self/autogroup").write_text(str(LOWEST_PRIORITY))

    async def send() -> None:
        await asyncio.gather(*(_request(port, n) for n in range(requests)))

    asyncio.run(send())


async def _request(port: int, number: int) -> None:
    """Send a request without a key until the service closes the connection."""
    address = ATTACKERS[number // 2 % len(ATTACKERS)]
    with suppress(OSError):
        reader, writer = await asyncio.open_connection(HOST, port, local_addr=(address, 0))
        is_slow = bool(number % 2)
        writer.write(SLOW if is_slow else HUGE)
        while not reader.at_eof():
            writer.write(b" " if is_slow else CHUNK)
            await writer.drain()
            if is_slow:
                await _pause(reader)
        writer.transport.abort()


async def _pause(reader: asyncio.StreamReader) -> None:
    """Wait for a moment, or until the service has closed the connection."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRIP_SECONDS):
            await reader.read()
