"""How fast what is suggested for many accounts is brought up to date."""

import time
from datetime import timedelta

from app.bench.results import Result
from app.bench.server import Rig, Tenant, by_bench, database, now, tenant
from app.core.db import transaction
from app.health.scoring.queries import list_account_ids
from app.interventions import suggestion_service as suggestions
from app.interventions.experiments import service
from app.interventions.experiments.design import ExperimentDesign
from app.pipeline import SWEEP_SIZE

ACCOUNTS, MOST_SECONDS = 10_000, 30

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


def run() -> list[Result]:
    with database() as rig:
        owner = tenant(rig, "suggestions")
        rig.run(*FILL, id=owner.id, accounts=ACCOUNTS, today=now().date())
        rig.maintain()
        with transaction(rig.sessions) as session:
            design = ExperimentDesign(name="bench", playbook="find_next_champion")
            service.start(session, by_bench(owner.id), design)
        found = [
            _refreshed(rig, owner, days=days, what=what)
            for days, what in ((0, "all new"), (0, "nothing new"), (1, "the next day"))
        ]
        count = rig.number("SELECT count(*) FROM intervention WHERE state = 'suggested'")
    return [*found, Result("suggested", f"{count:,}")]


def _refreshed(rig: Rig, owner: Tenant, *, days: int, what: str) -> Result:
    at = now() + timedelta(days=days)
    started = time.perf_counter()
    with transaction(rig.sessions) as session:
        ids = list_account_ids(session, owner.id)
    for first in range(0, len(ids), SWEEP_SIZE):
        with transaction(rig.sessions) as session:
            suggestions.refresh(
                session, owner.id, ids[first : first + SWEEP_SIZE], as_of=at.date(), now=at
            )
    seconds = time.perf_counter() - started
    return Result(
        f"suggestions of {ACCOUNTS:,} accounts, {what}",
        f"{seconds:.1f} s",
        "",
        f"< {MOST_SECONDS} s",
        seconds < MOST_SECONDS,
    )
