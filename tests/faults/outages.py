"""The database dies, disappears, is locked by somebody else or has no free connection."""

import os
import signal
from contextlib import ExitStack

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

KILLS = (
    *((SERVE, point) for point in ("before_store", "after_store")),
    *((WORKER, point) for point in ("before_score_commit", "after_send", "before_settle")),
)
"""The points at which the server is killed, by a process of the kind beside them."""


def kill_database(stand: Stand, *, acks: int = 10) -> None:
    """Kill the database server while the API or the worker commits, sends and records."""
    beside = {SERVE: stand.start_api(), WORKER: stand.start_worker()}
    stand.traffic.start()
    for kind, point in KILLS:
        if kind == SERVE:  # there is one port
            stand.stop(beside[kind])
        killed = stand.rig.postmaster
        postmaster_file = stand.rig.postgres.cluster / "postmaster.pid"
        armed_process = stand.launch(kind, armed(point, stand.pick_pass(), postmaster_file))
        stand.wait_for_new_postmaster(killed)
        stand.traffic.wait_for_acks(acks)
        stand.stop(armed_process)
        if kind == SERVE:
            beside[kind] = stand.start_api()
    stand.recover()


def cut_connections(stand: Stand, *, cuts: int = 12, acks: int = 15) -> None:
    """Cut all connections to the database, and let them hang until requests are given up.

    They are cut in turn by the network, by the server and by silence of the network.
    """
    stand.start()
    for n in range(cuts):
        stand.traffic.wait_for_acks(stand.random.randint(1, acks))
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


def hold_locks(stand: Stand) -> None:
    """Hold locks in another session for longer than a request may take."""
    stand.start()
    for statement in LOCKS:
        stand.traffic.wait_for_acks(5)
        with stand.rig.engine.connect() as connection:
            connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
            connection.execute(text(statement))
            stand.pause(stand.random.uniform(6, 8))  # requests are given up after five seconds
    stand.recover()


def exhaust_connections(stand: Stand, *, clients: int = 40, acks: int = 150) -> None:
    """Let many clients share two connections, then take all connections that the server has."""
    stand.start_api(HEALTH_POOL_SIZE="2")
    stand.start_worker()
    stand.traffic.connections = clients
    stand.traffic.start()
    stand.traffic.wait_for_acks(acks)
    with ExitStack() as stack:
        take_all_connections(stand, stack)
        stand.proxy.cut()
        stand.traffic.wait_for_refusals(clients)
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


def restart_in_turn(stand: Stand, *, rounds: int = 3, acks: int = 15) -> None:
    """Stop and start API, worker and database in order, in the middle of the traffic."""
    api, worker = stand.start_api(), stand.start_worker()
    stand.traffic.start()
    for _ in range(rounds):
        stand.traffic.wait_for_acks(stand.random.randint(1, acks))
        stand.stop(worker)
        worker = stand.start_worker()
        stand.traffic.wait_for_acks(stand.random.randint(1, acks))
        stand.stop(api)
        api = stand.start_api()
        stand.traffic.wait_for_acks(stand.random.randint(1, acks))
        if stopped := stand.rig.postmaster:
            os.kill(stopped, signal.SIGINT)  # what `pg_ctl stop` sends
            stand.wait_for_new_postmaster(stopped)
    stand.recover()
