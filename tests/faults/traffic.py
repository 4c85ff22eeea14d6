"""Clients that send events with known ids until each is acknowledged, and check every answer."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random
from time import monotonic
from typing import Any

import httpx

from bench.rig.client import HOST, OK
from bench.rig.service import wait_until

BATCH, SHARED_ACCOUNTS, USERS = 20, 8, 7
ANNOUNCED_EVERY = 4
"""Of so many batches one has an answer to a survey by an account of its own: it opens an alert."""
MOST_WAITING = 40
"""So many alerts may wait: more than fifty of one refresh are a digest, which names only a few."""
CONNECTIONS, PAUSE_SECONDS, RETRY_SECONDS = 4, 0.15, 0.1
HANG_SECONDS, GIVE_UP_SECONDS = 30.0, 60.0
REFUSALS: Mapping[int, set[str]] = {
    429: {"rate_limited", "too_many_connections"},
    503: {"storage_unavailable", "outcome_unknown", "overloaded"},
}
"""The documented answers that ask a client to repeat its request; all have ``Retry-After``."""

Batch = list[dict[str, Any]]


@dataclass
class Traffic:
    """Sends batches of events to a port. They share accounts, and some have one of their own.

    ``address``: from which the clients connect. ``sent``: the batches by their number. ``acked``:
    the numbers of those that were acknowledged. ``waits``: seconds to each of these answers.
    ``own``: the numbers of those with an account of their own, of which at most ``most_waiting``
    are not in ``reached``, the accounts whose alert has arrived.
    """

    port: int
    key: str
    seed: str
    connections: int = CONNECTIONS
    address: str = HOST
    sent: dict[int, Batch] = field(default_factory=dict)
    acked: set[int] = field(default_factory=set)
    own: set[int] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)
    most_waiting: int = MOST_WAITING
    waits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)
    _extra_numbers: "count[int]" = field(
        default_factory=lambda: count(-ANNOUNCED_EVERY, -ANNOUNCED_EVERY)
    )
    _stopping: threading.Event = field(default_factory=threading.Event)
    _giving_up: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._drive) for _ in range(self.connections)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no new batches, and wait until all are acknowledged, for a minute at most."""
        self._stopping.set()
        timer = threading.Timer(GIVE_UP_SECONDS, self._giving_up.set)
        timer.start()
        for thread in self._threads:
            thread.join()
        timer.cancel()

    def abandon(self) -> None:
        """Stop at once, whatever is not acknowledged."""
        self._giving_up.set()
        self.stop()

    def wait_for_acks(self, more: int) -> None:
        """Wait until so many more batches are acknowledged."""
        enough = len(self.acked) + more
        wait_until(lambda: len(self.acked) >= enough)

    def wait_for_refusals(self, more: int) -> None:
        """Wait until so many more requests are refused or get no answer."""
        enough = self.refused + more
        wait_until(lambda: self.refused >= enough)

    @property
    def refused(self) -> int:
        return self.statuses.total() - self.statuses[OK]

    def send_at_once(self, clients: int) -> None:
        """Send one batch from many clients at the same time."""
        number, start = next(self._numbers), threading.Barrier(clients)
        self._prepare(number)

        def send() -> None:
            with self._client() as client:
                start.wait()
                self._send(client, number)

        threads = [threading.Thread(target=send) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def send_announced(self) -> str:
        """Send a batch whose account opens an alert until it is acknowledged; return the account.

        Its number is of another series than those of the threads.
        """
        number = next(self._extra_numbers)
        with self._client() as client:
            self._send(client, number)
        return own_account(number)

    @property
    def announced(self) -> set[str]:
        """The accounts whose alert must have opened."""
        return {own_account(number) for number in self.acked & self.own}

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://{HOST}:{self.port}",
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=HANG_SECONDS,
            transport=httpx.HTTPTransport(local_address=self.address),
        )

    def _drive(self) -> None:
        with self._client() as client:
            while not self._stopping.wait(PAUSE_SECONDS):
                self._send(client, next(self._numbers))

    def _send(self, client: httpx.Client, number: int) -> None:
        batch = self.sent.get(number) or self._prepare(number)
        while not self._post(client, batch):
            if self._giving_up.wait(RETRY_SECONDS):
                return
        self.acked.add(number)

    def _prepare(self, number: int) -> Batch:
        if announces := self._may_announce(number):
            self.own.add(number)
        batch = self.sent[number] = make_batch(self.seed, number, announces=announces)
        return batch

    def _may_announce(self, number: int) -> bool:
        is_extra, waiting = number < 0, len(self.own) - len(self.reached)
        return is_extra or (number % ANNOUNCED_EVERY == 0 and waiting < self.most_waiting)

    def _post(self, client: httpx.Client, batch: Batch) -> bool:
        """Send a batch once. Return whether it was acknowledged."""
        began = monotonic()
        try:
            answer = client.post("/v1/batch", json={"batch": batch})
        except httpx.TransportError as error:
            self.statuses[0] += 1
            if isinstance(error, httpx.ReadTimeout):
                self.unexpected.append(f"no answer within {HANG_SECONDS:.0f} s")
            return False
        self.statuses[answer.status_code] += 1
        if wrong := find_unexpected(answer, len(batch)):
            self.unexpected.append(wrong)
        if answer.status_code == OK:
            self.waits.append(monotonic() - began)
        return answer.status_code == OK


def own_account(number: int) -> str:
    return f"own-{number}"


def make_batch(seed: str, number: int, *, announces: bool) -> Batch:
    """Return the events of a batch. ``announces``: the last one is an answer, an alert opens."""
    random, at = Random(f"{seed}-{number}"), datetime.now(UTC).isoformat()  # noqa: S311 - a load
    batch: Batch = []
    for n in range(BATCH):
        account = f"shared-{random.randrange(SHARED_ACCOUNTS)}"
        name, properties = f"Event {random.randrange(3)}", {"end_customer_id": f"c{n % 4}"}
        if n == BATCH - 1 and announces:
            account, name, properties = own_account(number), "NPS Submitted", {"score": "1"}
        batch.append(
            {
                "type": "track",
                "messageId": f"{seed}-{number}-{n}",
                "timestamp": at,
                "userId": f"{account}-u{random.randrange(USERS)}",
                "event": name,
                "context": {"groupId": account},
                "properties": properties,
            }
        )
    return batch


def find_unexpected(answer: httpx.Response, events: int) -> str | None:
    """Return what is not documented about the answer to a batch of valid events; None: nothing."""
    body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    if answer.status_code == OK:
        stored = body.get("accepted", 0) + body.get("duplicates", 0)
        return None if stored == events else f"a receipt for {stored} of {events} events"
    if body.get("code") not in REFUSALS.get(answer.status_code, ()):
        return f"the answer {answer.status_code} {body.get('code')}"
    if "retry-after" not in answer.headers:
        return f"the answer {answer.status_code} without Retry-After"
    return None
