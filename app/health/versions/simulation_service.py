"""Simulate a scorecard version on all accounts as of today, without writing any score."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.features.values import AccountFeatures
from app.health.definition import benchmark_queries
from app.health.definition.benchmark_queries import StoredBenchmarks
from app.health.definition.score_definition import Definition
from app.health.scoring import queries, scoring_context
from app.health.scoring.assess import (
    Assessment,
    ScoringContext,
    assess_accounts,
    fit_benchmarks,
    month_ends,
)
from app.health.scoring.service import load_features
from app.health.versions.simulation import SimulationOut, compare_assessments

ACCOUNTS_PER_PAGE = 2000
SIMULATED_ID = "simulated"


def simulate(session: Session, workspace_id: str, version: int, *, now: datetime) -> SimulationOut:
    """Compare a version with the active one, over the same accounts on the same day.

    Usage is not counted again if both use the same feature spec: the inputs of today's scores are
    reused. Overrides and silent sources are ignored on both sides.
    """
    as_of = now.date()
    ids = queries.list_account_ids(session, workspace_id)
    pages = [ids[n : n + ACCOUNTS_PER_PAGE] for n in range(0, len(ids), ACCOUNTS_PER_PAGE)]
    active = scoring_context.load_context(session, workspace_id, as_of=as_of, now=now)
    candidate = _candidate_context(session, workspace_id, version, active, pages=pages, now=now)
    spec = candidate.definition.spec
    before: list[Assessment] = []
    after: list[Assessment] = []
    for page in pages:
        features = _features(session, workspace_id, page, active, now)
        before.extend(assess_accounts(active, features, as_of))
        if spec != active.definition.spec:
            features = load_features(session, workspace_id, page, spec, as_of=as_of, now=now)
        after.extend(assess_accounts(candidate, features, as_of))
    return compare_assessments(before, after)


def _candidate_context(
    session: Session,
    workspace_id: str,
    version: int,
    active: ScoringContext,
    *,
    pages: Sequence[Sequence[str]],
    now: datetime,
) -> ScoringContext:
    """Return the scoring context of the candidate, with its stored benchmark or a new one.

    If it uses the same feature spec as the active scorecard, the new benchmark is fitted to the
    month-ends in the history and not stored. Otherwise usage must be counted, and the benchmark is
    stored for the day on which the version is activated.
    """
    definition = scoring_context.load_definition(session, workspace_id, version)
    digest = definition.ranking_digest
    benchmarks = benchmark_queries.find_benchmarks(
        session, workspace_id, month=active.month, ranking_digest=digest, now=now
    )
    completed = scoring_context.complete_definition(definition, active.benchmarks)
    if benchmarks is None and completed.spec == active.definition.spec:
        benchmarks = _fit_from_history(session, workspace_id, completed, active, pages)
    if benchmarks is None:
        return scoring_context.load_context(
            session, workspace_id, as_of=now.date(), now=now, version=version
        )
    return scoring_context.build_context(definition, benchmarks)


def _fit_from_history(
    session: Session,
    workspace_id: str,
    definition: Definition,
    active: ScoringContext,
    pages: Sequence[Sequence[str]],
) -> StoredBenchmarks | None:
    """Fit benchmarks to the inputs of stored month-end scores; None if there are none."""
    account_days = (
        (day, queries.load_inputs_on(session, workspace_id, page, day=day))
        for day in month_ends(active.month)
        for page in pages
    )
    pool = scoring_context.pool_facts(definition.offer, account_days)
    if not pool:
        return None
    names = () if definition.configured else active.benchmarks[""].product_features
    fitted = fit_benchmarks(pool, definition.scorecard, names)
    return StoredBenchmarks(SIMULATED_ID, active.month, fitted)


def _features(
    session: Session, workspace_id: str, ids: Sequence[str], context: ScoringContext, now: datetime
) -> list[AccountFeatures]:
    """Return the features of accounts: the stored inputs of today's scores, else loaded now."""
    as_of, definition = now.date(), context.definition
    stored = queries.load_current_inputs(
        session, workspace_id, ids, definition=definition.digest, as_of=as_of
    )
    features = {each.account_id: each for each in stored}
    missing = [key for key in ids if key not in features]
    loaded = load_features(session, workspace_id, missing, definition.spec, as_of=as_of, now=now)
    features |= {each.account_id: each for each in loaded}
    return [features[key] for key in ids]
