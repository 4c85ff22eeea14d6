"""Send batches of events, and check that exactly what was sent is stored and counted."""

from collections.abc import Sequence

from bench.rig import load
from bench.rig.client import RequestPlan, Run, drive
from bench.rig.rig import Rig, Tenant
from bench.rig.service import Service

STORED_EVENTS = "SELECT count(*) FROM event WHERE workspace_id = :id"
COUNTED_EVENTS = "SELECT sum(events) FROM daily_usage WHERE workspace_id = :id"


def send(service: Service, tenant: Tenant, batches: Sequence[load.Calls], *, clients: int) -> Run:
    """Send each batch in a request, as fast as the clients get answers."""
    requests = [load.request(tenant.write_key, batch) for batch in batches]
    return drive(RequestPlan(service.port, requests, clients)).require_success()


def check_stored(rig: Rig, tenant: Tenant, expected: int) -> None:
    """Raise unless the workspace has stored and counted the expected number of events."""
    stored, counted = (rig.number(q, id=tenant.id) for q in (STORED_EVENTS, COUNTED_EVENTS))
    if not stored == counted == expected:
        raise RuntimeError(f"{expected} events were sent, {stored} stored, {counted} counted.")
