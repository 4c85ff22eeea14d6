"""Clients that send each batch until it is acknowledged, and log the answers."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.servers.processes import Tenant

BATCH_SIZE = 20
RETRY_SECONDS = 0.05


def make_batch(writer: int, number: int, *, events: int = BATCH_SIZE) -> list[dict[str, Any]]:
    """Return events of a few accounts and users that all writers share."""
    now = datetime.now(UTC).isoformat()
    return [
        {
            "type": "track",
            "messageId": f"w{writer}-b{number}-{n}",
            "timestamp": now,
            "userId": f"u{(number + n) % 7}",
            "event": f"Event {n % 3}",
            "context": {"groupId": f"a{(writer + n) % 5}"},
            "properties": {"end_customer_id": f"c{n % 4}"},
        }
        for n in range(events)
    ]


@dataclass
class RequestLog:
    """What clients sent, and how the service answered."""

    sent: dict[tuple[int, int], list[dict[str, Any]]] = field(default_factory=dict)
    acknowledged: set[tuple[int, int]] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    refusals: list[httpx.Response] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)

    def ids(self, *, acknowledged: bool) -> set[str]:
        return {
            event["messageId"]
            for key, events in self.sent.items()
            if key in self.acknowledged or not acknowledged
            for event in events
        }

    def post(self, client: httpx.Client, key: tuple[int, int]) -> None:
        """Send a batch once; a missing answer is logged as status 0."""
        try:
            answer = client.post("/v1/batch", json={"batch": self.sent[key]})
        except httpx.TransportError:
            self.statuses[0] += 1
            return
        self.statuses[answer.status_code] += 1
        if answer.status_code == 200:
            self.receipts.append(answer.json())
            self.acknowledged.add(key)
        else:
            self.refusals.append(answer)

    def resend_unacknowledged(self, tenant: Tenant) -> None:
        with tenant.client() as client:
            for key in sorted(set(self.sent) - self.acknowledged):
                self.post(client, key)


@contextmanager
def concurrent_writers(
    tenant: Tenant, *, writers: int, batches: int | None = None
) -> Iterator[RequestLog]:
    """Run clients that send at the same time: ``batches`` each, or until the end if None."""
    log, stop = RequestLog(), threading.Event()

    def write(writer: int) -> None:
        with tenant.client() as client:
            number = 0
            while not stop.is_set() and number != batches:
                log.sent.setdefault((writer, number), make_batch(writer, number))
                log.post(client, (writer, number))
                if (writer, number) in log.acknowledged:
                    number += 1
                else:
                    stop.wait(RETRY_SECONDS)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    try:
        yield log
    finally:
        if batches is None:
            stop.set()
        for thread in threads:
            thread.join()
