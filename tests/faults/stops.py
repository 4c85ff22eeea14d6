"""A worker hangs, the clocks of processes jump, and the schema changes meanwhile."""

import signal
from time import monotonic

from app.core.postgres.engines import IDLE_TRANSACTION_SECONDS
from bench.rig.rig import create_tenant
from bench.rig.service import wait_until
from tests.faults.failpoints import armed
from tests.faults.processes import WORKER
from tests.faults.stand import Stand
from tests.faults.storage import run_alone
from tests.faults.traffic import Traffic

SCORED = "SELECT count(*) FROM health_score WHERE workspace_id = :id AND account_id = :account_id"
CLAIMED_BEFORE = """
SELECT count(*) FROM delivery JOIN message m ON m.workspace_id = delivery.workspace_id
AND m.id = message_id WHERE delivery.workspace_id = :id AND state = 'pending'
AND m.created_at < now() - interval '5 seconds'
"""
BAR_SECONDS = 3.0
HOT_TABLES = (
    *("event", "account", "daily_usage", "first_use", "due", "health_score", "account_signal"),
    *("alert", "alert_state", "message", "delivery", "attempt", "webhook_endpoint", "workspace"),
)
MIGRATIONS = (
    "ALTER TABLE {} ADD COLUMN fault_suite integer",
    "ALTER TABLE {} ALTER COLUMN fault_suite SET DEFAULT 0",
    "ALTER TABLE {} DROP COLUMN fault_suite",
)
"""What migrations do to tables that are in use."""

CLOCK_JUMPS = {"worker": (3600, -3600, 86_400, 0), "api": (240, -240, 0)}
"""The seconds by which the clock of a process is wrong, one after another."""


def hang_worker(stand: Stand, *, workspaces: int = 4, probes: int = 3) -> None:
    """Stop one of two workers while it has claimed accounts; later it goes on.

    ``probes``: events of each of the other workspaces, before and while the worker hangs.
    """
    stand.start_api()
    stand.start_worker()
    others = [create_tenant(stand.rig, f"other-{n}") for n in range(workspaces)] * probes
    probers = {each.id: Traffic(stand.traffic.port, each.write_key, each.id) for each in others}
    stand.traffic.start()
    before = max(wait_for_score(stand, each.id, probers[each.id]) for each in others)
    hung = stand.launch(WORKER, armed("after_claim", stand.pick_pass(), sends=signal.SIGSTOP))
    wait_until(lambda: hung.is_stopped)
    stopped_at = monotonic()
    meanwhile = max(wait_for_score(stand, each.id, probers[each.id]) for each in others)
    waited = f"another workspace waited {meanwhile:.1f} s for a score, before {before:.1f} s"
    stand.measured.append(waited)
    if meanwhile > BAR_SECONDS:
        stand.unexpected.append(waited)
    stand.pause(max(stopped_at + IDLE_TRANSACTION_SECONDS + 5 - monotonic(), 0))
    stand.recover()
    hung.signal(signal.SIGCONT)
    stand.traffic.wait_for_acks(20)
    stand.recover()
    stand.unexpected += [each for prober in probers.values() for each in prober.unexpected]


def wait_for_score(stand: Stand, workspace_id: str, prober: Traffic) -> float:
    """Send an event of another workspace; return the seconds until its account is scored."""
    began, account_id = monotonic(), prober.send_announced()
    wait_until(lambda: stand.rig.number(SCORED, id=workspace_id, account_id=account_id) == 1)
    return monotonic() - began


def record_late(stand: Stand, *, acks: int = 60, waits_for_leases: bool = True) -> None:
    """Stop a worker that has sent messages until another has sent them too; then it goes on.

    ``waits_for_leases``: whether the leases end by themselves, or at once.
    """
    stand.start_api()
    stand.traffic.start()
    late = stand.launch(WORKER, armed("after_send", stand.pick_pass(), sends=signal.SIGSTOP))
    wait_until(lambda: late.is_stopped)
    stand.traffic.wait_for_acks(acks)
    stand.start_worker()
    if not waits_for_leases:
        stand.end_pauses()
    wait_until(lambda: not stand.rig.number(CLAIMED_BEFORE, id=stand.tenant.id))
    late.signal(signal.SIGCONT)
    stand.recover()
    stand.traffic.wait_for_acks(acks)


def jump_clocks(stand: Stand, *, acks: int = 20) -> None:
    """Let the clocks of a running worker and a running API jump forth and back."""
    stand.hastens = False
    clocks = {name: stand.logs / f"{name}.clock" for name in CLOCK_JUMPS}
    for clock in clocks.values():
        clock.write_text("0")
    stand.start_api(FAULT_CLOCK=str(clocks["api"]))
    stand.start_worker(FAULT_CLOCK=str(clocks["worker"]))
    stand.traffic.start()
    for name, jumps in CLOCK_JUMPS.items():
        for seconds in jumps:
            clocks[name].write_text(str(seconds))
            stand.traffic.wait_for_acks(acks)
    stand.recover()


def change_schema(stand: Stand) -> None:
    """Change every busy table as migrations do, and run ``migrate``, during the traffic."""
    stand.start()
    for table in HOT_TABLES:
        for statement in MIGRATIONS:
            run_alone(stand, "SET lock_timeout = '5s'", statement.format(table))
    migration = stand.launch("migrate", {})
    stand.traffic.wait_for_acks(20)
    if status := migration.process.wait(120):
        stand.unexpected.append(f"migrate ended with status {status}")
    stand.recover()
