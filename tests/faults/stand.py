"""The stand of a scenario: database, proxy, processes, traffic and a receiver; and its evidence."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from standardwebhooks import Webhook

from app.alerts import rule_service
from app.alerts.rules import AlertOperator, AlertRuleConfig
from app.core.db import transaction
from app.core.encryption import load_or_create_key
from bench.rig.receivers import create_endpoints
from bench.rig.rig import Rig, Tenant, bench_actor, create_tenant, open_rig
from bench.rig.service import wait_until
from tests.faults import processes
from tests.faults.failpoints import armed
from tests.faults.ledger import Evidence, Received
from tests.faults.processes import LOGGED_OUTAGES, SERVE, WORKER, AppProcess
from tests.faults.proxy import Proxy, forwarding, socket_of
from tests.faults.traffic import Traffic
from tests.webhooks.receiver import OK as ACCEPTED
from tests.webhooks.receiver import ReceivedRequest, Receiver, running_receiver

MAX_PASS = 12
DATABASE_URL = "HEALTH_DATABASE_URL"

RULE = AlertRuleConfig(name="Unhappy", signal="signal:nps_detractor", operator=AlertOperator.ABOVE)
"""Opens one alert for each account that answers a survey."""

IDS = "SELECT message_id FROM event WHERE workspace_id = :id"
STORED = "SELECT account_id, count(*) FROM event WHERE workspace_id = :id GROUP BY 1"
COUNTED = "SELECT account_id, sum(events)::int FROM daily_usage WHERE workspace_id = :id GROUP BY 1"
MESSAGES = "SELECT id, account_id FROM message WHERE workspace_id = :id AND type = 'alert.opened'"
RECORDED = "SELECT message_id FROM attempt WHERE workspace_id = :id AND status BETWEEN 200 AND 299"
OPEN_WORK = """
SELECT (SELECT count(*) FROM due WHERE workspace_id = :id)
     + (SELECT count(*) FROM delivery WHERE workspace_id = :id AND state = 'pending')
"""
SWEPT = "UPDATE workspace SET swept_on = CAST(now() AT TIME ZONE 'UTC' AS date)"
"""The sweep of today is done: alerts are announced at once, and not at its end."""
END_PAUSES = (
    "UPDATE webhook_endpoint SET resume_at = now() WHERE resume_at > now()",
    "UPDATE delivery SET due_at = now() WHERE state = 'pending' AND due_at > now()",
)
"""Has the effect of the end of all leases, of delays of deliveries and pauses of endpoints."""


class NotRunError(Exception):
    """The machine cannot run a scenario; the message is the reason."""


@dataclass
class Stand:
    """``logs``: a folder for logs and metrics. ``stack``: what is still to be closed at the end.

    ``random`` decides at which passes things break. ``answer``: what the receiver answers.
    ``delivered``: the messages that it accepted. ``hastens``: whether leases and delays end at
    once when the scenario settles. ``allowed``: log events that are expected.
    """

    rig: Rig
    logs: Path
    stack: ExitStack
    tenant: Tenant
    proxy: Proxy
    secret: str
    traffic: Traffic
    random: Random
    answer: Callable[[ReceivedRequest], bytes] = lambda _: ACCEPTED
    delivered: list[ReceivedRequest] = field(default_factory=list)
    allowed: set[str] = field(default_factory=lambda: {*LOGGED_OUTAGES})
    unexpected: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)
    started: list[AppProcess] = field(default_factory=list)
    recovered: float = 0
    hastens: bool = True
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """The environment of processes that reach the database through the proxy."""
        metrics = self.logs / "metrics"
        metrics.mkdir(exist_ok=True)
        return self.rig.environment | {
            DATABASE_URL: f"postgresql://postgres@127.0.0.1:{self.proxy.port}/postgres",
            "HEALTH_ENCRYPTION_KEY": load_or_create_key(self.rig.folder),
            "HEALTH_LOG_LEVEL": "warning",
            "HEALTH_POOL_SIZE": "4",
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        }

    def start_api(self, **environment: str) -> AppProcess:
        """Start an API process at the port of the traffic, and wait until it is ready."""
        return self._ready(self.launch(SERVE, environment))

    def start_service(self) -> AppProcess:
        """Start ``serve`` as one does who has no database: it runs a private one and a worker."""
        own = {name: each for name, each in self.environment.items() if name != DATABASE_URL}
        return self._ready(self._launch(SERVE, own))

    def start_worker(self, **environment: str) -> AppProcess:
        return self._ready(self.launch(WORKER, environment))

    def start(self) -> None:
        """Start an API process, a worker and the traffic."""
        self.start_api()
        self.start_worker()
        self.traffic.start()

    def run_until_killed(self, kind: str, point: str) -> None:
        """Start a process that kills itself at one of the first passes of a point."""
        self.launch(kind, armed(point, self.pick_pass())).wait_for_kill()

    def pick_pass(self) -> int:
        """Return at which pass of a point something breaks: one of the first, by the seed."""
        return self.random.randint(1, MAX_PASS)

    def _ready(self, each: AppProcess) -> AppProcess:
        each.wait_until_ready()
        return each

    def launch(self, kind: str, environment: Mapping[str, str]) -> AppProcess:
        """Start a process without waiting until it is ready."""
        return self._launch(kind, {**self.environment, **environment})

    def _launch(self, kind: str, environment: Mapping[str, str]) -> AppProcess:
        name = f"{kind}-{next(self._numbers)}"
        each = processes.start(kind, self.logs, environment, name=name, port=self.traffic.port)
        self.started.append(each)
        return each

    def stop(self, each: AppProcess) -> None:
        """Stop a process in order; what is wrong with its end is unexpected."""
        if wrong := each.stop():
            self.unexpected.append(wrong)

    def kill_all(self) -> None:
        for each in self.started:
            each.kill()

    def accept(self, request: ReceivedRequest) -> bytes:
        """Answer a message, and note it if the answer accepts it."""
        answer = self.answer(request)
        if answer.startswith(b"HTTP/1.1 2"):
            self.delivered.append(request)
            self.traffic.reached.add(account_of(request.body))
        return answer

    def pause(self, seconds: float) -> None:
        """Let time pass where nothing can be waited for."""
        threading.Event().wait(seconds)

    def end_pauses(self) -> None:
        """End all leases of deliveries, delays and pauses now."""
        self.rig.run(*END_PAUSES)

    def wait_for_new_postmaster(self, old: int | None) -> None:
        """Wait until another server than the old one accepts connections."""
        wait_until(lambda: self.rig.postmaster not in {old, None} and self._accepts_connections())

    def _accepts_connections(self) -> bool:
        try:
            return self.rig.number("SELECT 1") == 1
        except DBAPIError:
            return False

    def recover(self) -> None:
        """Measure the seconds until an event that is sent now is stored, scored and delivered."""
        began = monotonic()
        account_id = self.traffic.send_announced()
        wait_until(lambda: account_id in self.traffic.reached)
        self.recovered = max(self.recovered, monotonic() - began)

    def settle(self) -> None:
        """Stop the traffic, and wait until all of it is scored and delivered."""
        self.traffic.stop()
        if self.hastens:
            self.end_pauses()
        try:
            wait_until(self._is_settled)
        except TimeoutError:
            left = self.rig.number(OPEN_WORK, id=self.tenant.id)
            self.unexpected.append(f"{left} accounts or deliveries were not processed in time")

    def _is_settled(self) -> bool:
        """Whether nothing is due, and no alert waits for the end of a sweep to be announced."""
        is_done = not self.rig.number(OPEN_WORK, id=self.tenant.id)
        return is_done and self.traffic.announced <= self.traffic.reached

    def read(self, query: str) -> list[tuple[Any, ...]]:
        with self.rig.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(query), {"id": self.tenant.id})]

    def evidence(self) -> Evidence:
        """Gather what the clients, the database, the receiver and the logs know."""
        traffic, read = self.traffic, self.read
        return Evidence(
            acked={
                event["messageId"]: event["context"]["groupId"]
                for number in traffic.acked
                for event in traffic.sent[number]
            },
            sent={event["messageId"] for batch in traffic.sent.values() for event in batch},
            stored=[row[0] for row in read(IDS)],
            counted=Counter({row[0]: row[1] for row in read(COUNTED)}),
            stored_by_account=Counter({row[0]: row[1] for row in read(STORED)}),
            announced=traffic.announced,
            messages={row[0]: row[1] for row in read(MESSAGES)},
            received=self._received(),
            recorded=[row[0] for row in read(RECORDED)],
            unexpected=[*self.unexpected, *traffic.unexpected, *self._logged()],
        )

    def _received(self) -> list[Received]:
        return [
            Received(
                each.headers["webhook-id"],
                account_of(each.body),
                verified=is_signed(each.headers, each.body, self.secret),
            )
            for each in self.delivered
        ]

    def _logged(self) -> list[str]:
        logs = {each.log for each in self.started}
        return [
            line for log in sorted(logs) for line in processes.unexpected_lines(log, self.allowed)
        ]


def account_of(body: bytes) -> str:
    """Return the account that a message announces."""
    return str(orjson.loads(body)["data"]["account_id"])


def is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether a signature holds for the time that it states, which may be that of a wrong clock."""
    time = datetime.fromtimestamp(int(headers.get("webhook-timestamp", 0)), UTC)
    expected = Webhook(secret).sign(headers["webhook-id"], time, body.decode())
    return expected in headers.get("webhook-signature", "").split()


@contextmanager
def open_stand(name: str, seed: int, place: Path | None = None) -> Iterator[Stand]:
    """Start a database with a workspace, a rule and a receiver. Kill what still runs at the end.

    ``place``: the folder for the database.
    """
    with ExitStack() as stack:
        rig = stack.enter_context(open_rig(place))
        rig.postgres.watch()
        receiver = Receiver()
        stack.enter_context(running_receiver(receiver))
        proxy = stack.enter_context(forwarding(socket_of(rig.postgres.url)))
        tenant = create_tenant(rig, name)
        rig.run(SWEPT)
        with transaction(rig.sessions) as session:
            rule_service.put(session, bench_actor(tenant.id), "unhappy", RULE)
        [secret] = create_endpoints(rig, tenant, [receiver], types=["alert.opened"])
        logs = stack.enter_context(TemporaryDirectory(prefix="health-logs-"))
        random = Random(f"{name}-{seed}")  # noqa: S311 - when things break, no secret
        traffic = Traffic(processes.pick_port(), tenant.write_key, f"{name}-{seed}")
        stand = Stand(rig, Path(logs), stack, tenant, proxy, secret, traffic, random)
        receiver.respond = stand.accept
        stack.callback(stand.kill_all)
        stack.callback(traffic.abandon)
        yield stand
