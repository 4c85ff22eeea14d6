"""How fast the lists of today, the movers and a long timeline are read in a large workspace."""

from dataclasses import dataclass
from datetime import timedelta

from app.core.db import transaction
from app.health.scoring import service as scoring
from app.health.scoring.queries import list_account_ids
from bench.at_risk_fill import fill_at_risk
from bench.results import Result
from bench.rig.client import RequestPlan, drive, get
from bench.rig.fill import Volume
from bench.rig.rig import Rig, Tenant, create_tenant, now

MAX_P95_MS = 150
PATHS = {
    "today": "/api/v1/today?limit=50",
    "today of an owner": "/api/v1/today?owner=owner%203",
    "movers": "/api/v1/reports/movers?days=7",
    "timeline": "/api/v1/accounts/a0/timeline",
    "timeline, notes only": "/api/v1/accounts/a0/timeline?kind=note",
}
# All accounts have an alert and suggestions (bench.at_risk_fill), every second one has a breach
# that waits, every third one a task that is due, and each has three signals.
PENDING = """
INSERT INTO alert_state (workspace_id, account_id, rule_key, sequence, phase, since, check_at)
SELECT :id, 'a' || a, 'no_use', 1, 'pending', now(), now() + interval '6 hours'
FROM generate_series(0, :accounts - 1, 2) AS a ON CONFLICT DO NOTHING
"""
TASKS = """
INSERT INTO task (workspace_id, id, account_id, title, owner, due_on, author, created_at)
SELECT :id, 'task_' || a, 'a' || a, 'Call', 'owner ' || a % 20, CAST(:today AS date), 'bench', now()
FROM generate_series(0, :accounts - 1, 3) AS a
"""
SIGNALS = """
INSERT INTO account_signal (
    workspace_id, account_id, signal, key, severity, since, evidence, opened_at, changed_at)
SELECT :id, 'a' || a, name, 'bench', 'medium', :today,
       CAST('{"days": 14, "seats": 20, "active": 9, "idle": 11, "value_score": 12}' AS jsonb),
       now(), now()
FROM generate_series(0, :accounts - 1) AS a,
     unnest(ARRAY['dormant', 'seats_idle', 'low_value_per_dollar']) AS s (name)
ON CONFLICT DO NOTHING
"""
HISTORY = """
INSERT INTO health_history (
    workspace_id, account_id, as_of, restatement, change, score, band, status, coverage, mrr_cents,
    details, computed_at)
SELECT h.workspace_id, 'a' || a, h.as_of, h.restatement, h.change, h.score, h.band, h.status,
       h.coverage, h.mrr_cents, h.details, h.computed_at
FROM generate_series(CAST(:scored AS int), :accounts - 1) AS a
JOIN health_history h ON h.workspace_id = :id AND h.account_id = 'a' || a % :scored
"""
# The account a0 has years of history.
LONG_HISTORY = (
    """
    INSERT INTO note (
        workspace_id, id, account_id, kind, text, at, participants, author, version, created_at)
    SELECT :id, 'note_' || n, 'a0', (ARRAY['note', 'call', 'meeting'])[1 + n % 3],
           repeat('They will renew. ', 50), now() - n * interval '9 hours', '{}', 'bench', 1, now()
    FROM generate_series(0, :entries - 1) AS n
    """,
    """
    INSERT INTO ticket (workspace_id, ticket_id, account_id, subject, opened_at, closed_at)
    SELECT :id, 'long' || n, 'a0', 'Export', now() - n * interval '8 hours',
           now() - n * interval '8 hours' + interval '1 day'
    FROM generate_series(0, :entries - 1) AS n
    """,
    """
    INSERT INTO account_signal (workspace_id, account_id, signal, key, severity, since, evidence,
        opened_at, changed_at, cleared_at)
    SELECT :id, 'a0', 'seats_idle', '', 'low', :today,
           CAST('{"seats": 20, "active": 9, "idle": 11}' AS jsonb),
           at, now(), at + interval '1 day'
    FROM generate_series(0, :entries - 1) AS n,
         LATERAL (SELECT now() - n * interval '10 hours' AS at) AS opened
    """,
    """
    INSERT INTO "user" (workspace_id, user_id, account_id, name, account_since)
    SELECT :id, 'long' || u, 'a0', 'Person ' || u, now() - u * interval '3 days'
    FROM generate_series(0, :people - 1) AS u
    """,
    """
    INSERT INTO daily_usage (
        workspace_id, account_id, day, known_on, user_id, is_anonymous, event_name, events)
    SELECT :id, 'a0', day, day, 'long' || u, false, 'Event ' || n, 1
    FROM generate_series(0, 299) AS d, generate_series(0, :people - 1) AS u,
         generate_series(1, 3) AS n,
         LATERAL (SELECT CAST(:today AS date) - d - u AS day) AS used
    ON CONFLICT DO NOTHING
    """,
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """``entries``: notes, tickets and signals of one account, each. ``requests``: for each path."""

    accounts: int
    scored: Volume
    entries: int
    people: int
    requests: int
    warm_up_requests: int


FULL = Sizes(10_000, Volume(100, users=5, uses=10, reached=50), 5_000, 200, 100, 10)
SMALLEST = Sizes(30, Volume(10, users=2, uses=3, reached=4), 20, 3, 3, 1)


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    tenant = create_tenant(rig, "today")
    fill_at_risk(rig, tenant, sizes.scored, sizes.accounts, before_scoring=_score_last_week)
    values = {"id": tenant.id, "today": now().date(), "accounts": sizes.accounts}
    values |= {"scored": sizes.scored.accounts, "entries": sizes.entries, "people": sizes.people}
    rig.run(PENDING, TASKS, SIGNALS, HISTORY, *LONG_HISTORY, **values)
    rig.maintain()
    port = rig.shared_service(workers=1).port
    return [_measure(port, tenant, name, path, sizes) for name, path in PATHS.items()]


def _score_last_week(rig: Rig, tenant: Tenant) -> None:
    """Score all accounts as of a week ago, so that they have moved since."""
    at = now() - timedelta(days=7)
    with transaction(rig.sessions) as session:
        ids = list_account_ids(session, tenant.id)
        scoring.refresh(session, tenant.id, ids, as_of=at.date(), now=at)


def _measure(port: int, tenant: Tenant, name: str, path: str, sizes: Sizes) -> Result:
    requests = [get(path, tenant.read_key)]
    drive(RequestPlan(port, requests * sizes.warm_up_requests, 1)).require_success()
    measured = drive(RequestPlan(port, requests * sizes.requests, 1)).require_success()
    p50, p95 = measured.milliseconds(0.5), measured.milliseconds(0.95)
    return Result(
        name, p95, f"p95 {p95:.0f} ms", f"p50 {p50:.0f} ms", f"≤ {MAX_P95_MS} ms", p95 <= MAX_P95_MS
    )
