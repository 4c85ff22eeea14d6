"""Thousands of slow and huge requests without a key, beside clients that have one."""

import asyncio
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bench.rig import memory
from bench.rig.client import HOST, percentile
from tests.faults.stand import Stand

ATTACKERS = ("127.0.0.1", "127.0.0.3")
KEYED = "127.0.0.2"
SLOW = b"PUT /api/v1/accounts/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
HUGE = b"PUT /api/v1/accounts/a HTTP/1.1\r\nHost: x\r\nContent-Length: 600000000\r\n\r\n"
CHUNK = b"0" * 65_536
DRIP_SECONDS = 0.5
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
    if meanwhile > MAX_RATIO * quiet:
        stand.unexpected.append(f"p99 rose from {quiet * 1000:.0f} to {meanwhile * 1000:.0f} ms")
    if grown > MAX_MEGABYTES:
        stand.unexpected.append(f"the memory of the API grew by {grown:.0f} MB")
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
    """Have so many requests without a key, half of them slow and half of them huge."""
    loop, stopping = asyncio.new_event_loop(), asyncio.Event()

    async def attack() -> None:
        await asyncio.gather(*(_request(port, n, stopping) for n in range(requests)))

    thread = threading.Thread(target=loop.run_until_complete, args=(attack(),))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.close()


async def _request(port: int, number: int, stopping: asyncio.Event) -> None:
    """Send a request without a key until the service closes the connection."""
    address = ATTACKERS[number // 2 % len(ATTACKERS)]
    with suppress(OSError):
        reader, writer = await asyncio.open_connection(HOST, port, local_addr=(address, 0))
        is_slow = bool(number % 2)
        writer.write(SLOW if is_slow else HUGE)
        while not stopping.is_set() and not reader.at_eof():
            writer.write(b" " if is_slow else CHUNK)
            await writer.drain()
            if is_slow:
                await _wait(stopping)
        writer.transport.abort()


async def _wait(stopping: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(DRIP_SECONDS):
            await stopping.wait()
