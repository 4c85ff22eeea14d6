"""What accounts are held against: scorecard, offer and benchmark, built where there is none."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.accounts.queries import list_plans, list_product_features
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
    """Load what holds for a day, and how features are to be taken for it.

    ``candidate``: a version of the scorecard to hold accounts against instead of the active one.
    """
    said = load_definition(
        session, workspace, *(candidate or get_active_scorecard(session, workspace.id))
    )
    month = as_of.replace(day=1)
    found = queries.find_benchmarks(
        session, workspace.id, month=month, meaning=said.meaning, now=now
    )
    if found is None:
        advisory_lock(session, "benchmarks", workspace.id)
        found = queries.find_benchmarks(
            session, workspace.id, month=month, meaning=said.meaning, now=now
        )
    if found is None:
        found = _build(session, workspace.id, said, as_of=as_of, now=now)
    used = complete_definition(said, found.benchmarks)
    queries.insert_definition(session, workspace.id, used, now=now)
    return build_context(used, found), used.lens


def build_context(used: Definition, found: StoredBenchmarks) -> ScoringContext:
    return ScoringContext(
        scorecard=used.scorecard,
        version=used.version,
        definition=used.digest,
        offer=used.offer,
        benchmarks=found.benchmarks,
        benchmark_id=found.id,
        month=found.month,
        base_currency=used.lens.base_currency,
        features_configured=used.configured,
    )


def complete_definition(said: Definition, benchmarks: Mapping[str, Benchmark]) -> Definition:
    """Where nobody has named product features, those fixed with the benchmark hold."""
    if said.configured:
        return said
    return said.with_default_features(benchmarks[""].product_features)


def load_definition(
    session: Session, workspace: Workspace, version: int, scorecard: Scorecard
) -> Definition:
    features = list_product_features(session, workspace.id)
    sold = list_plans(session, workspace.id)
    offer = Offer(
        {feature.key: feature.weight for feature in features},
        {plan.key: plan.product_features for plan in sold},
        {plan.key: plan.price_shares for plan in sold if plan.price_shares},
        {plan.key: plan.seat_price_cents for plan in sold if plan.seat_price_cents is not None},
        {plan.key: plan.limits for plan in sold if plan.limits},
    )
    lens = FeatureSpec(
        FeatureMap([(name, feature.key) for feature in features for name in feature.event_names]),
        ReachSource(workspace.reach, workspace.reach_events),
        workspace.base_currency,
        scorecard.window_days,
        scorecard.traits,
        scorecard.counts,
        scorecard.engagement,
        scorecard.signals,
    )
    return Definition(version, scorecard, offer, lens, configured=bool(features))


def _build(
    session: Session, workspace_id: str, said: Definition, *, as_of: date, now: datetime
) -> StoredBenchmarks:
    """Fit to the last six month-ends; where they are empty, provisionally to the day itself."""
    names: tuple[str, ...] = ()
    used = said
    if not said.configured:
        names = _default_names(session, workspace_id, said.scorecard, as_of)
        used = said.with_default_features(names)
    rows = _pool(session, workspace_id, used, month_ends(as_of))
    of_today = not rows
    if of_today:
        everyone = _everyone(session, workspace_id, used.lens, as_of)
        some = eligible_peers(everyone, as_of) or [a for a in everyone if not a.excluded]
        rows = account_facts(used.offer, some, as_of)
    fitted = fit_benchmarks(rows, used.scorecard, names)
    found = queries.upsert_benchmarks(
        session,
        workspace_id,
        fitted,
        month=as_of.replace(day=1),
        meaning=said.meaning,
        provisional=of_today or fitted[""].normalizer is Normalizer.SHARE,
        now=now,
    )
    _announce(session, workspace_id, found, now)
    return found


def _announce(session: Session, workspace_id: str, found: StoredBenchmarks, now: datetime) -> None:
    """Leave it in the audit that scores are held against something else, as of a version."""
    if found.is_new:
        said = {"month": f"{found.month:%Y-%m}", "accounts": found.benchmarks[""].accounts}
        Actor(workspace_id, BUILDER_ACTOR, now).audit(session, "benchmark.built", found.id, said)


def _default_names(
    session: Session, workspace_id: str, scorecard: Scorecard, as_of: date
) -> tuple[str, ...]:
    """Take the last month-end's habits, or the day's where nothing had happened by then."""
    for day in (month_ends(as_of)[0], as_of):
        names = list_default_product_features(
            session, workspace_id, as_of=day, window_days=scorecard.window_days
        )
        if names:
            return names
    return ()


def _pool(
    session: Session, workspace_id: str, used: Definition, days: Sequence[date]
) -> list[AccountFacts]:
    return [
        facts
        for day in days
        for facts in account_facts(
            used.offer, eligible_peers(_everyone(session, workspace_id, used.lens, day), day), day
        )
    ]


def _everyone(
    session: Session, workspace_id: str, lens: FeatureSpec, day: date
) -> list[AccountFeatures]:
    ids = list_account_ids(session, workspace_id)
    return load_account_features(session, workspace_id, ids, as_of=day, lens=lens)
