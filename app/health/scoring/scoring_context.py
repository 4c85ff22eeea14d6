"""Load the settings and peers that accounts are scored with; fit benchmarks that are missing."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial

from sqlalchemy.orm import Session

from app.accounts.catalog_queries import list_plans, list_product_features
from app.core.query_helpers import advisory_lock
from app.features.queries import list_default_product_features, load_account_features
from app.features.values import AccountFeatures, FeatureMap, FeatureSpec, ReachSource
from app.health.definition import benchmark_queries as queries
from app.health.definition.benchmark import Benchmark, Normalizer
from app.health.definition.benchmark_queries import StoredBenchmarks
from app.health.definition.entitlement import Offer
from app.health.definition.metrics import AccountFacts
from app.health.definition.score_definition import Definition
from app.health.definition.scorecard import Scorecard
from app.health.definition.scorecard_queries import get_active_scorecard
from app.health.scoring.assess import ScoringContext, eligible_peers, fit_benchmarks, month_ends
from app.health.scoring.evaluate import account_facts
from app.health.scoring.queries import list_account_ids
from app.workspaces.service import Actor
from app.workspaces.tables import Workspace

BUILDER_ACTOR = "service"


def load_context(
    session: Session,
    workspace: Workspace,
    *,
    as_of: date,
    now: datetime,
    candidate: tuple[int, Scorecard] | None = None,
) -> tuple[ScoringContext, FeatureSpec]:
    """Return the scoring context of a day and the feature spec to load accounts with.

    Fits and stores the benchmarks of the month if there are none; one transaction at a time does
    so. ``candidate``: a scorecard version to use instead of the active one.
    """
    definition = load_definition(
        session, workspace, *(candidate or get_active_scorecard(session, workspace.id))
    )
    find = partial(
        queries.find_benchmarks,
        session,
        workspace.id,
        month=as_of.replace(day=1),
        ranking_digest=definition.ranking_digest,
        now=now,
    )
    benchmarks = find()
    if benchmarks is None:
        advisory_lock(session, "benchmarks", workspace.id)
        benchmarks = find()
    if benchmarks is None:
        benchmarks = _fit(session, workspace.id, definition, as_of=as_of, now=now)
    completed = complete_definition(definition, benchmarks.benchmarks)
    queries.insert_definition(session, workspace.id, completed, now=now)
    return build_context(completed, benchmarks), completed.spec


def build_context(definition: Definition, benchmarks: StoredBenchmarks) -> ScoringContext:
    return ScoringContext(
        scorecard=definition.scorecard,
        version=definition.version,
        definition=definition.digest,
        offer=definition.offer,
        benchmarks=benchmarks.benchmarks,
        benchmark_id=benchmarks.id,
        month=benchmarks.month,
        base_currency=definition.spec.base_currency,
        features_configured=definition.configured,
    )


def complete_definition(definition: Definition, benchmarks: Mapping[str, Benchmark]) -> Definition:
    """Use the product features fixed with the benchmark if the workspace has named none."""
    if definition.configured:
        return definition
    return definition.with_default_features(benchmarks[""].product_features)


def load_definition(
    session: Session, workspace: Workspace, version: int, scorecard: Scorecard
) -> Definition:
    """Combine a scorecard with the workspace's plans, product features and settings of today."""
    features = list_product_features(session, workspace.id)
    plans = list_plans(session, workspace.id)
    offer = Offer(
        {feature.key: feature.weight for feature in features},
        {plan.key: plan.product_features for plan in plans},
        {plan.key: plan.price_shares for plan in plans if plan.price_shares},
        {plan.key: plan.seat_price_cents for plan in plans if plan.seat_price_cents is not None},
        {plan.key: plan.limits for plan in plans if plan.limits},
    )
    spec = FeatureSpec(
        FeatureMap([(name, feature.key) for feature in features for name in feature.event_names]),
        ReachSource(workspace.reach, workspace.reach_events),
        workspace.base_currency,
        scorecard.window_days,
        scorecard.traits,
        scorecard.counts,
        scorecard.engagement,
        scorecard.signals,
    )
    return Definition(version, scorecard, offer, spec, configured=bool(features))


def _fit(
    session: Session, workspace_id: str, definition: Definition, *, as_of: date, now: datetime
) -> StoredBenchmarks:
    """Fit and store benchmarks of the last six month-ends.

    Without accounts at the month-ends they are fitted to ``as_of`` itself and are provisional.
    """
    names: tuple[str, ...] = ()
    completed = definition
    if not definition.configured:
        names = _default_features(session, workspace_id, definition.scorecard, as_of)
        completed = definition.with_default_features(names)
    pool = _pool(session, workspace_id, completed, month_ends(as_of))
    is_of_the_day = not pool
    if is_of_the_day:
        accounts = _load_all(session, workspace_id, completed.spec, as_of)
        peers = eligible_peers(accounts, as_of) or [a for a in accounts if not a.excluded]
        pool = account_facts(completed.offer, peers, as_of)
    fitted = fit_benchmarks(pool, completed.scorecard, names)
    benchmarks = queries.upsert_benchmarks(
        session,
        workspace_id,
        fitted,
        month=as_of.replace(day=1),
        ranking_digest=definition.ranking_digest,
        provisional=is_of_the_day or fitted[""].normalizer is Normalizer.SHARE,
        now=now,
    )
    _audit(session, workspace_id, benchmarks, now)
    return benchmarks


def _audit(
    session: Session, workspace_id: str, benchmarks: StoredBenchmarks, now: datetime
) -> None:
    """Record a new benchmark in the audit log: from then on scores have other peers."""
    if benchmarks.is_new:
        accounts = benchmarks.benchmarks[""].accounts
        details = {"month": f"{benchmarks.month:%Y-%m}", "accounts": accounts}
        actor = Actor(workspace_id, BUILDER_ACTOR, now)
        actor.audit(session, "benchmark.built", benchmarks.id, details)


def _default_features(
    session: Session, workspace_id: str, scorecard: Scorecard, as_of: date
) -> tuple[str, ...]:
    """Return the event names that count as product features at the last month-end.

    Without any events by then, ``as_of`` decides.
    """
    for day in (month_ends(as_of)[0], as_of):
        names = list_default_product_features(
            session, workspace_id, as_of=day, window_days=scorecard.window_days
        )
        if names:
            return names
    return ()


def _pool(
    session: Session, workspace_id: str, definition: Definition, days: Sequence[date]
) -> list[AccountFacts]:
    """Return the facts of all eligible peers on each of the days."""
    pool: list[AccountFacts] = []
    for day in days:
        peers = eligible_peers(_load_all(session, workspace_id, definition.spec, day), day)
        pool += account_facts(definition.offer, peers, day)
    return pool


def _load_all(
    session: Session, workspace_id: str, spec: FeatureSpec, day: date
) -> list[AccountFeatures]:
    ids = list_account_ids(session, workspace_id)
    return load_account_features(session, workspace_id, ids, as_of=day, spec=spec)
