"""How fast the suggestions for many accounts are brought up to date."""

import time
from dataclasses import dataclass
from datetime import timedelta

from app.core.db import transaction
from app.health.scoring.queries import list_account_ids
from app.interventions import suggestion_service as suggestions
from app.interventions.experiments import service
from app.interventions.experiments.design import ExperimentDesign
from app.pipeline import SWEEP_SIZE
from bench.results import Result
from bench.rig.rig import Rig, Tenant, bench_actor, create_tenant, now

MAX_SECONDS = 30
SUGGESTED = """
SELECT count(*) FROM intervention WHERE workspace_id = :id AND state = 'suggested'
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    accounts: int


FULL = Sizes(10_000)
SMALLEST = Sizes(50)

FILL = (
    """
    INSERT INTO account (
        workspace_id, account_id, name, segment, industry, employees, end_customers)
    SELECT :id, 'a' || a, 'Account ' || a, 'segment ' || a % 3, 'retail', 10, 400
    FROM generate_series(0, :accounts - 1) AS a
    """,
    """
    INSERT INTO health_score (
        workspace_id, account_id, as_of, score, band, status, mrr_cents, plan, details, computed_at)
    SELECT :id, 'a' || a, :today, a % 100,
           CASE WHEN a % 100 < 25 THEN 'at_risk' WHEN a % 100 < 50 THEN 'watch' ELSE 'healthy' END,
           'ok', 10000 + a, 'basic',
           CAST('{"currency": "USD", "seats": 20, "inputs": {"active_users": 9, "reached": 70,
                  "adopted": ["a", "b"]}, "unused_product_features": ["c"]}' AS jsonb), now()
    FROM generate_series(0, :accounts - 1) AS a
    """,
    """
    INSERT INTO account_signal (
        workspace_id, account_id, signal, key, severity, since, evidence, opened_at, changed_at)
    SELECT :id, 'a' || a, name, '', 'medium', :today, CAST(
               '{"now": 3, "usual": 9, "days": 14, "before_cents": 9000, "after_cents": 10000,
                 "feature": "c", "seats": 20, "active": 9}' AS jsonb), now(), now()
    FROM generate_series(0, :accounts - 1) AS a,
         unnest(ARRAY['champion_inactive', 'price_rise', 'reach_falling', 'paid_feature_unused',
                      'usage_drop_vs_self']) WITH ORDINALITY AS s (name, place)
    WHERE (a + place) % 2 = 0
    """,
)


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    tenant = create_tenant(rig, "suggestions")
    rig.run(*FILL, id=tenant.id, accounts=sizes.accounts, today=now().date())
    rig.maintain()
    with transaction(rig.sessions) as session:
        design = ExperimentDesign(name="bench", playbook="find_next_champion")
        service.start(session, bench_actor(tenant.id), design)
    results = [
        _measure_refresh(rig, tenant, days=days, name=f"{sizes.accounts:,} accounts, {change}")
        for days, change in ((0, "all new"), (0, "nothing new"), (1, "the next day"))
    ]
    count = rig.number(SUGGESTED, id=tenant.id)
    made = Result("suggestions made", count, f"{count:,}", "", "> 0", count > 0, exact=True)
    return [*results, made]


def _measure_refresh(rig: Rig, tenant: Tenant, *, days: int, name: str) -> Result:
    """Refresh the suggestions of all accounts in sets, ``days`` from now."""
    at = now() + timedelta(days=days)
    started = time.perf_counter()
    with transaction(rig.sessions) as session:
        ids = list_account_ids(session, tenant.id)
    for first in range(0, len(ids), SWEEP_SIZE):
        with transaction(rig.sessions) as session:
            suggestions.refresh(
                session, tenant.id, ids[first : first + SWEEP_SIZE], as_of=at.date(), now=at
            )
    seconds = time.perf_counter() - started
    return Result(
        f"suggestions of {name}",
        seconds,
        f"{seconds:.1f} s",
        "",
        f"< {MAX_SECONDS} s",
        seconds < MAX_SECONDS,
    )
