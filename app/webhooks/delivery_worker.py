"""The part of the worker that sends: an event loop in a thread of its own (docs/adr/0028)."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.db import SessionFactory, run_with_retries, transaction
from app.core.encryption import DecryptionError, Encryptor
from app.webhooks import concurrency, delivery_queries, delivery_results
from app.webhooks.concurrency import ConcurrencyLimits
from app.webhooks.delivery_queries import ClaimedDelivery
from app.webhooks.delivery_results import FinishedAttempt
from app.webhooks.endpoint_secrets import EndpointSecrets, build_request
from app.webhooks.http_client import DEADLINE_SECONDS, HttpClient, HttpOutcome

log = structlog.get_logger()

LEASE = timedelta(seconds=2 * DEADLINE_SECONDS)
MAX_IN_FLIGHT = 1024
IDLE_SECONDS, ERROR_BACKOFF_SECONDS, DRAIN_SECONDS = 0.2, 1.0, 5.0


@dataclass
class DeliveryWorker:
    """Turns of one short transaction each, and the sending between them, outside of any."""

    sessions: SessionFactory
    vault: Encryptor
    sender: HttpClient
    clock: Clock
    public_url: str | None = None
    windows: ConcurrencyLimits = field(default_factory=ConcurrencyLimits)
    _sent: list[FinishedAttempt] = field(default_factory=list)
    _claimed_tokens: set[UUID] = field(default_factory=set)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _wake_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until told to stop; then wait a little for what is under way."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MAX_IN_FLIGHT))
        while not stopping.is_set():
            try:
                busy = await self.turn()
                await self._wait(stopping, 0 if busy else IDLE_SECONDS)
            except DBAPIError as error:
                log.warning("database_trouble", error=type(error.orig).__name__)
                await self._wait(stopping, ERROR_BACKOFF_SECONDS)
        await self._drain()
        self.sender.close()

    async def turn(self) -> bool:
        """Settle what was sent and claim what is due. Returns whether anything was."""
        self._wake_up.clear()
        sent, self._sent = self._sent, []
        rooms, limit = self.windows.rooms(), MAX_IN_FLIGHT - self.windows.under_way
        try:
            claimed = await asyncio.to_thread(
                run_with_retries,
                self.sessions,
                lambda session: self._turn(session, sent, rooms, limit),
            )
        except BaseException:
            self._sent = [*sent, *self._sent]
            raise
        for each in claimed:
            self._begin(each)
        return bool(claimed)

    def _turn(
        self,
        session: Session,
        sent: Sequence[FinishedAttempt],
        rooms: Mapping[str, int],
        limit: int,
    ) -> Sequence[ClaimedDelivery]:
        now = self.clock()
        delivery_results.record_delivery_results(session, sent, now=now)
        if limit <= 0:
            return []
        return delivery_queries.claim_deliveries(
            session,
            rooms=rooms,
            room=concurrency.INITIAL_LIMIT,
            limit=limit,
            now=now,
            lease_until=now + LEASE,
        )

    def _begin(self, claimed: ClaimedDelivery) -> None:
        self.windows.begin(claimed.endpoint_id)
        self._claimed_tokens.add(claimed.token)
        task = asyncio.create_task(self._deliver(claimed))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _deliver(self, claimed: ClaimedDelivery) -> None:
        outcome = HttpOutcome(0, error="cancelled")
        try:
            outcome = await self._send(claimed, self.clock())
            self._sent.append(FinishedAttempt(claimed, outcome, self.clock()))
        finally:
            self.windows.end(claimed.endpoint_id, worked=outcome.worked)
            self._wake_up.set()

    async def _send(self, claimed: ClaimedDelivery, now: datetime) -> HttpOutcome:
        try:
            secrets = EndpointSecrets.open(self.vault, *claimed.endpoint, claimed.sealed)
        except DecryptionError:
            return HttpOutcome(0, error="key_mismatch")
        request = build_request(secrets, claimed, now=now, public_url=self.public_url)
        try:
            return await self.sender.send(secrets.url, request.headers, request.body)
        except Exception:
            log.exception("delivery_failed", endpoint_id=claimed.endpoint_id)
            return HttpOutcome(0, error="internal_error")

    async def _wait(self, stopping: asyncio.Event, seconds: float) -> None:
        """Wait for an outcome, the end, or the time to look again."""
        waiting = [asyncio.create_task(each.wait()) for each in (self._wake_up, stopping)]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()

    async def _drain(self) -> None:
        """Give back at once what cannot be finished."""
        if self.under_way:
            _, unfinished = await asyncio.wait(self.under_way, timeout=DRAIN_SECONDS)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        with suppress(DBAPIError):
            await asyncio.to_thread(self._give_back)

    def _give_back(self) -> None:
        with transaction(self.sessions) as session:
            delivery_results.record_delivery_results(session, self._sent, now=self.clock())
            delivery_queries.release_deliveries(session, self._claimed_tokens, now=self.clock())


class DeliveryThread:
    """Inside of it a Deliverer runs beside the rest of the worker."""

    def __init__(self, deliverer: DeliveryWorker) -> None:
        self._deliverer = deliverer
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
            runner.run(self._deliverer.run(self._stopping))
