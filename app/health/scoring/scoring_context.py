"""Load the settings and peers that accounts are scored with; fit benchmarks that are missing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial

from sqlalchemy.orm import Session

from app.accounts.catalog.tables import Plan, ProductFeature
from app.accounts.renewals import grace_days
from app.core.query_helpers import advisory_lock
from app.core.row_queries import list_all_rows
from app.features.queries import list_default_product_features, load_account_features
from app.features.values import AccountFeatures, FeatureMap, FeatureSpec, ReachSource
from app.health.definition import benchmark_queries as queries
from app.health.definition.benchmark import Benchmark
from app.health.definition.benchmark_queries import StoredBenchmarks
from app.health.definition.entitlement import Offer
from app.health.definition.metrics import AccountFacts
from app.health.definition.score_definition import Definition
from app.health.definition.scorecard_queries import get_active_scorecard, get_scorecard_config
from app.health.scoring.assess import ScoringContext, eligible_peers, fit_benchmarks, month_ends
from app.health.scoring.evaluate import account_facts
from app.health.scoring.queries import list_account_ids
from app.signals.service import get_config
from app.workspaces.queries import get_workspace
from app.workspaces.service import Actor

BUILDER_ACTOR = "service"
LOCK = "benchmarks"


def load_context(
    session: Session, workspace_id: str, *, as_of: date, now: datetime, version: int | None = None
) -> ScoringContext:
    """Return the settings and peers that accounts are scored with on a day.

    Fits and stores the benchmarks of the month if there are none; one transaction at a time does
    so. ``version``: the scorecard version; None: the active one.
    """
    definition = load_definition(session, workspace_id, version)
    find = partial(
        queries.find_benchmarks,
        session,
        workspace_id,
        month=as_of.replace(day=1),
        ranking_digest=definition.ranking_digest,
        now=now,
    )
    stored = find()
    if stored is None:
        advisory_lock(session, LOCK, workspace_id)
        stored = find() or _fit(session, workspace_id, definition, as_of=as_of, now=now)
    context = build_context(definition, stored)
    queries.insert_definition(session, workspace_id, context.definition, now=now)
    return context


def refit_benchmarks(session: Session, workspace_id: str, *, now: datetime) -> bool:
    """Fit today's benchmarks again if much data has come since; return whether peers changed.

    Called every few seconds: a first day begins with the data of a few accounts. Benchmarks of
    earlier days stay as they are. One transaction at a time fits.
    """
    definition = load_definition(session, workspace_id)
    advisory_lock(session, LOCK, workspace_id)
    row = queries.check_benchmarks(
        session, workspace_id, ranking_digest=definition.ranking_digest, now=now
    )
    if row is None:
        return False
    before = row.id
    return _fit(session, workspace_id, definition, as_of=now.date(), now=now).id != before


def build_context(definition: Definition, stored: StoredBenchmarks) -> ScoringContext:
    completed = complete_definition(definition, stored.benchmarks)
    return ScoringContext(completed, stored.benchmarks, stored.id, stored.month)


def complete_definition(definition: Definition, benchmarks: Mapping[str, Benchmark]) -> Definition:
    """Use the product features stored with the benchmark if the workspace has named none."""
    if definition.configured:
        return definition
    return definition.with_default_features(benchmarks[""].product_features)


def load_definition(session: Session, workspace_id: str, version: int | None = None) -> Definition:
    """Combine a scorecard with the workspace's plans, product features and settings of today.

    ``version``: the scorecard version; None: the active one.
    """
    if version is None:
        version, scorecard = get_active_scorecard(session, workspace_id)
    else:
        scorecard = get_scorecard_config(session, workspace_id, version)
    workspace = get_workspace(session, workspace_id)
    features = list_all_rows(session, workspace_id, ProductFeature)
    plans = list_all_rows(session, workspace_id, Plan)
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
        get_config(session, workspace_id).thresholds.notice_days,
        grace_days(session),
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
        names = _default_features(session, workspace_id, definition.scorecard.window_days, as_of)
        completed = definition.with_default_features(names)
    ids, offer = list_account_ids(session, workspace_id), completed.offer
    load = partial(load_account_features, session, workspace_id, ids, spec=completed.spec)
    pool = pool_facts(offer, ((day, load(as_of=day)) for day in month_ends(as_of)))
    is_of_the_day = not pool
    if is_of_the_day:
        accounts = load(as_of=as_of)
        peers = eligible_peers(accounts, as_of) or [a for a in accounts if not a.excluded]
        pool = account_facts(offer, peers, as_of)
    fitted = fit_benchmarks(pool, completed.scorecard, names)
    stored = queries.upsert_benchmarks(
        session,
        workspace_id,
        fitted,
        month=as_of.replace(day=1),
        ranking_digest=definition.ranking_digest,
        provisional=is_of_the_day or not fitted[""].has_peers,
        now=now,
    )
    if stored.is_new:  # audit it: from now on scores have other peers
        details = {"month": f"{as_of:%Y-%m}", "accounts": fitted[""].accounts}
        actor = Actor(workspace_id, BUILDER_ACTOR, now)
        actor.audit(session, "benchmark.built", stored.id, details)
    return stored


def _default_features(
    session: Session, workspace_id: str, window_days: int, as_of: date
) -> tuple[str, ...]:
    """Return the event names that count as product features at the last month-end.

    If there were no events by that day, return those of ``as_of``.
    """
    load = partial(list_default_product_features, session, workspace_id, window_days=window_days)
    return load(as_of=month_ends(as_of)[0]) or load(as_of=as_of)


def pool_facts(
    offer: Offer, account_days: Iterable[tuple[date, Sequence[AccountFeatures]]]
) -> list[AccountFacts]:
    """Return the facts of the eligible peers of each day; ``account_days``: accounts by day."""
    return [
        facts
        for day, accounts in account_days
        for facts in account_facts(offer, eligible_peers(accounts, day), day)
    ]
