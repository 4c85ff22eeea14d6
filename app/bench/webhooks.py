"""How fast messages are delivered, and what hanging receivers, kills and stopped workers change."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from app.bench import memory
from app.bench.client import percentile
from app.bench.receivers import Receiver, aim, listening
from app.bench.results import Result
from app.bench.server import Rig, database, now, tenant, wait_until
from app.core.db import transaction
from app.webhooks import outbox
from app.webhooks.concurrency import MAX_LIMIT
from app.webhooks.delivery_worker import LEASE
from app.webhooks.http_client import DEADLINE_SECONDS
from app.webhooks.outbox import NewMessage

CARD = {"version": 2, "previous_version": 1}

FAST, LEAST_PER_SECOND = 6_000, 300
BAD, FAIR_SECONDS, FAIR_PER_SECOND, MOST_GOOD_SECONDS = 20, 60, 10, 2.0
KILLS, KILLED = 20, 2_000
WORKERS, STOPPED = 4, 400
SLACK_MILLISECONDS = 1_000

COUNTS = """SELECT count(*) FROM delivery WHERE workspace_id = :id"""
DONE = COUNTS + " AND state = 'delivered'"
HELD = COUNTS + " AND token IS NOT NULL"
ATTEMPTS = "SELECT count(*) FROM attempt WHERE workspace_id = :id"
TWICE = """SELECT count(*) FROM (SELECT FROM attempt WHERE workspace_id = :id AND status = 204
GROUP BY message_id HAVING count(*) > 1) twice"""
LONGEST = "SELECT max(milliseconds) FROM attempt WHERE workspace_id = :id AND status IS NULL"


def run() -> list[Result]:
    with database() as rig:
        return [_rate(rig), *_fairness(rig), _kills(rig), _stops(rig)]


def _aim(rig: Rig, name: str, receivers: Sequence[Receiver]) -> str:
    """Make a workspace with an endpoint for each receiver."""
    owner = tenant(rig, name)
    aim(rig, owner, receivers)
    return owner.id


def _publish(rig: Rig, owner: str, many: int) -> list[str]:
    told = [NewMessage("scorecard.activated", CARD)] * many
    with transaction(rig.sessions) as session:
        return outbox.publish(session, owner, told, now=now())


def _worker(rig: Rig) -> subprocess.Popen[bytes]:
    metrics = rig.folder / "metrics"
    metrics.mkdir(exist_ok=True)
    own = {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    return subprocess.Popen([sys.executable, "-m", "app", "worker"], env=rig.environment | own)


def _end(*workers: subprocess.Popen[bytes]) -> None:
    for each in workers:
        each.terminate()
        each.wait()


def _rate(rig: Rig) -> Result:
    receiver = Receiver()
    with listening(receiver):
        owner = _aim(rig, "rate", [receiver])
        _publish(rig, owner, FAST)
        rig.maintain()
        worker = _worker(rig)
        wait_until(lambda: rig.number(DONE, id=owner) == FAST)
        _end(worker)
    seconds = receiver.came[-1][0] - receiver.came[0][0]
    rate, attempts = FAST / seconds, rig.number(ATTEMPTS, id=owner)
    return Result(
        "deliveries, one worker, one fast receiver",
        f"{rate:,.0f}/s",
        f"{FAST:,} in {seconds:.1f} s, {attempts:,} attempt rows",
        f"≥ {LEAST_PER_SECOND}/s",
        rate >= LEAST_PER_SECOND and attempts == FAST,
        ratio=rate / LEAST_PER_SECOND,
    )


def _fairness(rig: Rig) -> list[Result]:
    good = Receiver()
    bad = [Receiver(wait_seconds=3600, drips=bool(n % 2)) for n in range(BAD)]
    with listening(good, *bad):
        owner = _aim(rig, "fairness", [good, *bad])
        worker, told, held = _worker(rig), dict[str, float](), list[float]()
        wait_until(lambda: not rig.number("SELECT count(*) FROM workspace WHERE swept_on IS NULL"))
        for n in range(FAIR_SECONDS * FAIR_PER_SECOND):
            [message_id] = _publish(rig, owner, 1)
            told[message_id] = time.time()
            time.sleep(1 / FAIR_PER_SECOND)
            if n % (10 * FAIR_PER_SECOND) == 10 * FAIR_PER_SECOND - 1:
                held.append(memory.resident(worker.pid))
        wait_until(lambda: len(good.came) >= len(told))
        time.sleep(DEADLINE_SECONDS)
        _end(worker)
    waits = [at - told[message_id] for at, message_id in good.came]
    p99, longest = percentile(waits, 0.99), rig.number(LONGEST, id=owner)
    bar = DEADLINE_SECONDS * 1000 + SLACK_MILLISECONDS
    return [
        Result(
            f"good receiver beside {BAD} that hang or drip",
            f"p99 {p99:.2f} s",
            f"p50 {percentile(waits, 0.5):.2f} s, {len(waits)} messages",
            f"p99 ≤ {MOST_GOOD_SECONDS:.0f} s",
            p99 <= MOST_GOOD_SECONDS and len(waits) == len(told),
        ),
        Result(
            "longest attempt of a bad one",
            f"{longest / 1000:.2f} s",
            f"{sum(len(each.came) for each in bad)} attempts",
            f"≤ {bar / 1000:.0f} s",
            0 < longest <= bar,
        ),
        Result(
            "memory of the worker, each 10 s",
            ", ".join(f"{each:.0f}" for each in held) + " MB",
            "the last against the second",
            "≤ 110 %",
            held[-1] <= 1.1 * held[1],
            ratio=held[-1] / held[1],
        ),
    ]


def _kills(rig: Rig) -> Result:
    receiver = Receiver(wait_seconds=0.05)
    with listening(receiver):
        owner = _aim(rig, "kills", [receiver])
        ids = _publish(rig, owner, KILLED)
        for turn in range(KILLS):
            worker, before = _worker(rig), len(receiver.came)
            enough = before + KILLED // KILLS // 2
            wait_until(lambda enough=enough: len(receiver.came) >= enough)  # type: ignore[misc]
            time.sleep(0.01 * turn)
            worker.kill()
            worker.wait()
        worker = _worker(rig)
        wait_until(lambda: rig.number(DONE, id=owner) == KILLED)
        time.sleep(2 * LEASE.total_seconds())
        held = rig.number(HELD, id=owner)
        _end(worker)
    times = Counter(receiver.ids)
    repeats = sum(times.values()) - len(times)
    return Result(
        f"{KILLS} kills of the worker during {KILLED:,} deliveries",
        f"{len(set(ids) - set(times))} lost, {repeats} repeats, {held} held",
        f"at most {max(times.values())} times the same id",
        f"0 lost, ≤ {KILLS * MAX_LIMIT} repeats",
        set(times) == set(ids) and repeats <= KILLS * MAX_LIMIT and not held,
    )


def _stops(rig: Rig) -> Result:
    """Let two of four workers sleep past their lease, with deliveries in their hands.

    The other two come when those sleep: else it may be they who hold everything.
    """
    receiver = Receiver(wait_seconds=0.5)
    with listening(receiver):
        owner = _aim(rig, "stops", [receiver])
        sleepers = [_worker(rig) for _ in range(WORKERS // 2)]
        _publish(rig, owner, STOPPED)
        wait_until(lambda: rig.number(HELD, id=owner) >= WORKERS * 4)
        time.sleep(0.2)  # until what is held has been sent
        for each in sleepers:
            each.send_signal(signal.SIGSTOP)
        workers = [*sleepers, *(_worker(rig) for _ in range(WORKERS // 2))]
        wait_until(lambda: rig.number(DONE, id=owner) == STOPPED)
        for each in sleepers:
            each.send_signal(signal.SIGCONT)
        time.sleep(3)
        twice, attempts = rig.number(TWICE, id=owner), rig.number(ATTEMPTS, id=owner)
        _end(*workers)
    stale = _stale(rig)
    return Result(
        f"{WORKERS} workers, two stopped past the lease",
        f"{twice} settled twice, {stale} stale settles refused",
        f"{attempts} attempt rows, {len(receiver.came)} requests",
        f"0 twice, {STOPPED} rows",
        not twice and attempts == STOPPED and stale > 0,
    )


def _stale(rig: Rig) -> int:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(rig.folder / "metrics"))  # type: ignore[no-untyped-call]
    return int(registry.get_sample_value("health_webhook_stale_settles_total") or 0)
