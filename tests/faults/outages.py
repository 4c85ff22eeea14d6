"""The database dies, disappears, is locked by somebody else or has no free connection."""

import os
import signal
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg
from sqlalchemy import text

from tests.faults.failpoints import armed
from tests.faults.processes import SERVE, WORKER
from tests.faults.stand import Stand

TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
LOCKS = (
    "LOCK TABLE event IN ACCESS EXCLUSIVE MODE",
    "LOCK TABLE daily_usage IN SHARE MODE",
    "SELECT FROM account FOR UPDATE",
    "SELECT FROM workspace FOR UPDATE",
)
"""What a careless person may hold for a while in a session of their own."""

API_KILLS = ((SERVE, "before_store"), (SERVE, "after_store"))
WORKER_KILLS = ((WORKER, "before_score_commit"), (WORKER, "after_send"), (WORKER, "before_settle"))


@dataclass(frozen=True, slots=True)
class KillSizes:
    """``points``: at each the postmaster is killed, by a process of the kind beside it."""

    points: tuple[tuple[str, str], ...]
    acks: int


FULL_KILLS = KillSizes((*API_KILLS, *WORKER_KILLS), acks=10)


def kill_database(stand: Stand, sizes: KillSizes) -> None:
    """Kill the database server while the API or the worker commits, sends and records."""
    beside = {SERVE: stand.start_api(), WORKER: stand.start_worker()}
    stand.traffic.start()
    for kind, point in sizes.points:
        if kind == SERVE:  # there is one port
            stand.stop(beside[kind])
        killed = stand.rig.postmaster
        postmaster_file = stand.rig.postgres.cluster / "postmaster.pid"
        armed_process = stand.launch(kind, armed(point, stand.pick_pass(), postmaster_file))
        stand.wait_for_new_postmaster(killed)
        stand.traffic.wait_for_acks(sizes.acks)
        stand.stop(armed_process)
        if kind == SERVE:
            beside[kind] = stand.start_api()
    stand.recover()


@dataclass(frozen=True, slots=True)
class CutSizes:
    """``cuts``: in turn by the network, by the server and by silence of the network."""

    cuts: int
    acks: int


FULL_CUTS, SHORT_CUTS = CutSizes(cuts=12, acks=15), CutSizes(cuts=2, acks=3)


def cut_connections(stand: Stand, sizes: CutSizes) -> None:
    """Cut all connections to the database, and let them hang until requests are given up."""
    stand.start_api()
    stand.start_worker()
    stand.traffic.start()
    for n in range(sizes.cuts):
        stand.traffic.wait_for_acks(stand.random.randint(1, sizes.acks))
        match n % 3:
            case 0:
                stand.proxy.cut()
            case 1:
                stand.rig.run(TERMINATE)
            case 2:
                stand.proxy.silence()
                stand.traffic.wait_for_refusals(1)
                stand.proxy.resume()
    stand.recover()


@dataclass(frozen=True, slots=True)
class LockSizes:
    """``locks``: statements, each of which holds its locks until requests are refused."""

    locks: tuple[str, ...]


FULL_LOCKS = LockSizes(LOCKS)


def hold_locks(stand: Stand, sizes: LockSizes) -> None:
    """Hold locks in another session for longer than a request may take."""
    stand.start_api()
    stand.start_worker()
    stand.traffic.start()
    for statement in sizes.locks:
        stand.traffic.wait_for_acks(5)
        with stand.rig.engine.connect() as connection:
            connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
            connection.execute(text(statement))
            stand.pause(stand.random.uniform(6, 8))  # requests are given up after five seconds
    stand.recover()


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """``clients``: many more than connections of the pool."""

    clients: int
    acks: int


FULL_POOL = PoolSizes(clients=40, acks=150)


def exhaust_connections(stand: Stand, sizes: PoolSizes) -> None:
    """Let many clients share two connections, then take all connections that the server has."""
    stand.start_api(HEALTH_POOL_SIZE="2")
    stand.start_worker()
    stand.traffic.connections = sizes.clients
    stand.traffic.start()
    stand.traffic.wait_for_acks(sizes.acks)
    with ExitStack() as stack:
        take_all_connections(stand, stack)
        stand.proxy.cut()
        stand.traffic.wait_for_refusals(sizes.clients)
    stand.recover()


def take_all_connections(stand: Stand, stack: ExitStack) -> None:
    """Open connections until the server refuses, also those that are given up meanwhile."""
    refused = 0
    while refused < 3:
        try:
            stack.enter_context(psycopg.connect(stand.rig.postgres.url))
        except psycopg.OperationalError:
            if not refused:
                stand.proxy.cut()  # the service gives its connections up: take those as well
            refused += 1


@dataclass(frozen=True, slots=True)
class RestartSizes:
    rounds: int
    acks: int


FULL_RESTARTS = RestartSizes(rounds=3, acks=15)


def restart_in_turn(stand: Stand, sizes: RestartSizes) -> None:
    """Stop and start API, worker and database in order, in the middle of the traffic."""
    api, worker = stand.start_api(), stand.start_worker()
    stand.traffic.start()
    for _ in range(sizes.rounds):
        stand.traffic.wait_for_acks(stand.random.randint(1, sizes.acks))
        stand.stop(worker)
        worker = stand.start_worker()
        stand.traffic.wait_for_acks(stand.random.randint(1, sizes.acks))
        stand.stop(api)
        api = stand.start_api()
        stand.traffic.wait_for_acks(stand.random.randint(1, sizes.acks))
        if stopped := stand.rig.postmaster:
            os.kill(stopped, signal.SIGINT)  # what `pg_ctl stop` sends
            stand.wait_for_new_postmaster(stopped)
    stand.recover()
