"""Simulate a scorecard version on all accounts as of today, without writing any score."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from app.features.values import AccountFeatures, FeatureSpec
from app.health.definition import benchmark_queries, scorecard_queries
from app.health.definition.benchmark_queries import StoredBenchmarks
from app.health.definition.metrics import AccountFacts
from app.health.definition.score_definition import Definition
from app.health.scoring import queries, scoring_context
from app.health.scoring.assess import (
    Assessment,
    ScoringContext,
    assess_accounts,
    eligible_peers,
    fit_benchmarks,
    month_ends,
)
from app.health.scoring.evaluate import account_facts
from app.health.scoring.scoring_context import complete_definition, load_definition
from app.health.scoring.service import load_features
from app.health.versions.simulation import ScorecardComparison, compare_assessments
from app.workspaces.queries import get_workspace
from app.workspaces.tables import Workspace

ACCOUNTS_PER_PAGE = 2000
SIMULATED_ID = "simulated"


def simulate(
    session: Session, workspace_id: str, version: int, *, now: datetime
) -> ScorecardComparison:
    """Compare a version with the active one, over the same accounts on the same day.

    Usage is not counted again if both use the same feature spec: the inputs of today's scores are
    reused. Overrides and silent sources are ignored on both sides.
    """
    workspace = get_workspace(session, workspace_id)
    as_of = now.date()
    ids = queries.list_account_ids(session, workspace_id)
    active, spec = scoring_context.load_context(session, workspace, as_of=as_of, now=now)
    card = scorecard_queries.get_scorecard_config(session, workspace_id, version)
    definition = load_definition(session, workspace, version, card)
    candidate, candidate_spec = _candidate_context(
        session, workspace, definition, (active, spec), ids=ids, now=now
    )
    before: list[Assessment] = []
    after: list[Assessment] = []
    for page in _pages(ids):
        features = candidate_features = _features(
            session, workspace_id, page, active, spec=spec, now=now
        )
        if candidate_spec != spec:
            candidate_features = load_features(
                session, workspace_id, page, candidate_spec, as_of=as_of, now=now
            )
        before.extend(assess_accounts(active, features, as_of))
        after.extend(assess_accounts(candidate, candidate_features, as_of))
    return compare_assessments(before, after)


def _candidate_context(
    session: Session,
    workspace: Workspace,
    definition: Definition,
    active: tuple[ScoringContext, FeatureSpec],
    *,
    ids: Sequence[str],
    now: datetime,
) -> tuple[ScoringContext, FeatureSpec]:
    """Return the context of the candidate: with its stored benchmark or one fitted for now.

    If it uses the same feature spec as the active scorecard, the month-ends in the history are
    fitted and nothing is stored. Otherwise usage must be counted, and the benchmark is stored for
    when the version is activated.
    """
    context, spec = active
    benchmarks = benchmark_queries.find_benchmarks(
        session,
        workspace.id,
        month=context.month,
        ranking_digest=definition.ranking_digest,
        now=now,
    )
    completed = complete_definition(definition, context.benchmarks)
    if benchmarks is None and completed.spec == spec:
        benchmarks = _fit_from_history(session, workspace.id, completed, context, ids)
    if benchmarks is None:
        candidate = (definition.version, definition.scorecard)
        return scoring_context.load_context(
            session, workspace, as_of=now.date(), now=now, candidate=candidate
        )
    completed = complete_definition(definition, benchmarks.benchmarks)
    return scoring_context.build_context(completed, benchmarks), completed.spec


def _fit_from_history(
    session: Session,
    workspace_id: str,
    definition: Definition,
    context: ScoringContext,
    ids: Sequence[str],
) -> StoredBenchmarks | None:
    """Fit benchmarks to the inputs of stored month-end scores; None if there are none."""
    pool: list[AccountFacts] = []
    for day in month_ends(context.month):
        for page in _pages(ids):
            inputs = queries.load_inputs_on(session, workspace_id, page, day=day)
            pool += account_facts(definition.offer, eligible_peers(inputs, day), day)
    if not pool:
        return None
    names = () if definition.configured else context.benchmarks[""].product_features
    fitted = fit_benchmarks(pool, definition.scorecard, names)
    return StoredBenchmarks(SIMULATED_ID, context.month, fitted)


def _features(
    session: Session,
    workspace_id: str,
    ids: Sequence[str],
    context: ScoringContext,
    *,
    spec: FeatureSpec,
    now: datetime,
) -> list[AccountFeatures]:
    """Return the inputs of today's scores, and load those of accounts not yet scored with them."""
    as_of = now.date()
    stored = queries.load_current_inputs(
        session, workspace_id, ids, definition=context.definition, as_of=as_of
    )
    features = {each.account_id: each for each in stored}
    missing = [key for key in ids if key not in features]
    loaded = load_features(session, workspace_id, missing, spec, as_of=as_of, now=now)
    features |= {each.account_id: each for each in loaded}
    return [features[key] for key in ids]


def _pages(ids: Sequence[str]) -> Iterator[list[str]]:
    iterator = iter(ids)
    while page := list(islice(iterator, ACCOUNTS_PER_PAGE)):
        yield page
