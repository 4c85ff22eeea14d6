"""The delivery worker: an event loop in its own thread that sends due messages (docs/adr/0028)."""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core import metrics
from app.core.clock import Clock
from app.core.db import SessionFactory, run_with_retries, transaction
from app.core.encryption import DecryptionError, Encryptor
from app.core.errors import reason
from app.core.logs import OutageLog, get_logger
from app.core.postgres.commit_watch import CommitWatch
from app.webhooks import delivery_queries
from app.webhooks.delivery_queries import ClaimedDelivery
from app.webhooks.delivery_results import LEASE, FinishedAttempt, record_delivery_results
from app.webhooks.endpoint_secrets import EndpointSecrets, build_request
from app.webhooks.endpoint_state import INITIAL_LIMIT, ConcurrencyLimits
from app.webhooks.http_client import HttpClient, HttpOutcome

log = get_logger()

MAX_IN_FLIGHT = 1024
IDLE_SECONDS, QUIET_SECONDS = 0.2, 1.0
"""How often it looks whether something was committed, and whether a delivery has become due."""
ERROR_BACKOFF_SECONDS, DRAIN_SECONDS = 1.0, 5.0


@dataclass
class DeliveryWorker:
    """Claims deliveries and records results in short transactions; sends requests between them."""

    sessions: SessionFactory
    encryptor: Encryptor
    client: HttpClient
    clock: Clock
    commits: CommitWatch
    public_url: str | None = None
    outages: OutageLog = field(default_factory=lambda: OutageLog("database_error"))
    limits: ConcurrencyLimits = field(default_factory=ConcurrencyLimits)
    _finished: list[FinishedAttempt] = field(default_factory=list)
    _claimed_tokens: set[UUID] = field(default_factory=set)
    in_flight: set[asyncio.Task[None]] = field(default_factory=set)
    _wake_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until ``stopping`` is set, then wait a few seconds for requests in flight."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MAX_IN_FLIGHT))
        while not stopping.is_set():
            try:
                before = await asyncio.to_thread(self.commits.snapshot)
                busy = await self.run_once()
                await (self._wait(stopping, 0) if busy else self._wait_for_commit(stopping, before))
            except DBAPIError as error:
                self.outages.report(reason=reason(error))
                await self._wait(stopping, ERROR_BACKOFF_SECONDS)
            except Exception:
                log.exception("deliveries_interrupted")
                metrics.DELIVERY_ERRORS.inc()
                await self._wait(stopping, ERROR_BACKOFF_SECONDS)
        await self._drain()
        self.client.close()

    async def run_once(self) -> bool:
        """Record finished attempts and start due deliveries. Return whether any was due."""
        self._wake_up.clear()
        finished, self._finished = self._finished, []
        slots, limit = self.limits.free_slots(), MAX_IN_FLIGHT - self.limits.in_flight
        try:
            claimed = await asyncio.to_thread(
                run_with_retries,
                self.sessions,
                lambda session: self._record_and_claim(session, finished, slots, limit),
            )
        except BaseException:
            self._finished = [*finished, *self._finished]
            raise
        for each in claimed:
            self._start(each)
        return bool(claimed)

    def _record_and_claim(
        self,
        session: Session,
        finished: Sequence[FinishedAttempt],
        slots: Mapping[str, int],
        limit: int,
    ) -> Sequence[ClaimedDelivery]:
        now = self.clock()
        record_delivery_results(session, finished, now=now)
        if limit <= 0:
            return []
        return delivery_queries.claim_deliveries(
            session,
            free_slots=slots,
            default_slots=INITIAL_LIMIT,
            limit=limit,
            now=now,
            lease_until=now + LEASE,
        )

    def _start(self, claimed: ClaimedDelivery) -> None:
        self.limits.begin(claimed.endpoint_id)
        self._claimed_tokens.add(claimed.token)
        task = asyncio.create_task(self._deliver(claimed))
        self.in_flight.add(task)
        task.add_done_callback(self.in_flight.discard)

    async def _deliver(self, claimed: ClaimedDelivery) -> None:
        outcome = HttpOutcome(0, error="cancelled")
        try:
            await asyncio.sleep(claimed.delay)
            outcome = await self._send(claimed, self.clock())
            self._finished.append(FinishedAttempt(claimed, outcome, self.clock()))
        finally:
            works = outcome.succeeded or outcome.aborts_message
            self.limits.end(claimed.endpoint_id, succeeded=works)
            self._wake_up.set()

    async def _send(self, claimed: ClaimedDelivery, now: datetime) -> HttpOutcome:
        try:
            secrets = EndpointSecrets.open(self.encryptor, *claimed.endpoint_key, claimed.encrypted)
        except DecryptionError:
            return HttpOutcome(0, error="key_mismatch")
        headers, body = build_request(secrets, claimed, now=now, public_url=self.public_url)
        try:
            return await self.client.post(secrets.url, headers, body)
        except Exception:
            log.exception("delivery_failed", endpoint_id=claimed.endpoint_id)
            return HttpOutcome(0, error="internal_error")

    async def _wait(self, stopping: asyncio.Event, seconds: float) -> None:
        """Wait until an attempt finishes, ``stopping`` is set, or the seconds are over."""
        events = [asyncio.create_task(each.wait()) for each in (self._wake_up, stopping)]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
        for event in events:
            event.cancel()

    async def _wait_for_commit(self, stopping: asyncio.Event, before: str) -> None:
        """Wait until something was committed or an attempt finishes, but not for long."""
        end = time.monotonic() + QUIET_SECONDS
        while not (stopping.is_set() or self._wake_up.is_set()) and time.monotonic() < end:
            await self._wait(stopping, IDLE_SECONDS)
            if await asyncio.to_thread(self.commits.snapshot) != before:
                return

    async def _drain(self) -> None:
        """Wait for requests; cancel late ones and release their claims: they are due now."""
        if self.in_flight:
            _, unfinished = await asyncio.wait(self.in_flight, timeout=DRAIN_SECONDS)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        with suppress(DBAPIError):
            await asyncio.to_thread(self._record_and_release)

    def _record_and_release(self) -> None:
        with transaction(self.sessions) as session:
            record_delivery_results(session, self._finished, now=self.clock())
            delivery_queries.release_deliveries(session, self._claimed_tokens, now=self.clock())


class DeliveryThread:
    """Context manager that runs a delivery worker in a thread of its own."""

    def __init__(self, worker: DeliveryWorker) -> None:
        self._worker = worker
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(2 * DRAIN_SECONDS)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._worker.run(self._stopping))
