"""Try another scorecard on every account, as of today, and write nothing that scores anybody."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from app.features.values import AccountFeatures, FeatureSpec
from app.health.definition import benchmark_queries, scorecard_queries
from app.health.definition.benchmark_queries import StoredBenchmarks
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
    """Compare a version with the one that holds, over the same accounts on the same day.

    Usage is not counted again where both look at the same: what today's scores are made of is
    there. Overrides and silent sources are left out on both sides.
    """
    workspace = get_workspace(session, workspace_id)
    as_of = now.date()
    ids = queries.list_account_ids(session, workspace_id)
    today, lens = scoring_context.load_context(session, workspace, as_of=as_of, now=now)
    card = scorecard_queries.get_scorecard_config(session, workspace_id, version)
    candidate = load_definition(session, workspace, version, card)
    then, other_lens = _held_against(session, workspace, candidate, (today, lens), ids=ids, now=now)
    before: list[Assessment] = []
    after: list[Assessment] = []
    for some in _pages(ids):
        features = _known(session, workspace_id, some, today, lens=lens, now=now)
        others = features
        if other_lens != lens:
            others = load_features(session, workspace_id, some, other_lens, as_of=as_of, now=now)
        before.extend(assess_accounts(today, features, as_of))
        after.extend(assess_accounts(then, others, as_of))
    return compare_assessments(before, after)


def _held_against(
    session: Session,
    workspace: Workspace,
    candidate: Definition,
    held: tuple[ScoringContext, FeatureSpec],
    *,
    ids: Sequence[str],
    now: datetime,
) -> tuple[ScoringContext, FeatureSpec]:
    """Hold accounts against the candidate's benchmark: the one that is kept, or one for now.

    Where it looks at what today's scorecard looks at, the month-ends in the history are fitted;
    else usage has to be counted, and the benchmark is kept for when the version is activated.
    """
    today, lens = held
    kept = benchmark_queries.find_benchmarks(
        session, workspace.id, month=today.month, meaning=candidate.meaning, now=now
    )
    used = complete_definition(candidate, today.benchmarks)
    if kept is None and used.lens == lens:
        kept = _fitted(session, workspace.id, used, today, ids)
    if kept is None:
        said = (candidate.version, candidate.scorecard)
        return scoring_context.load_context(
            session, workspace, as_of=now.date(), now=now, candidate=said
        )
    used = complete_definition(candidate, kept.benchmarks)
    return scoring_context.build_context(used, kept), used.lens


def _fitted(
    session: Session, workspace_id: str, used: Definition, today: ScoringContext, ids: Sequence[str]
) -> StoredBenchmarks | None:
    """Fit to the month-ends that history tells of; None where it does not."""
    pool = [
        facts
        for day in month_ends(today.month)
        for some in _pages(ids)
        for facts in account_facts(
            used.offer,
            eligible_peers(queries.load_inputs_on(session, workspace_id, some, day=day), day),
            day,
        )
    ]
    if not pool:
        return None
    names = () if used.configured else today.benchmarks[""].product_features
    return StoredBenchmarks(SIMULATED_ID, today.month, fit_benchmarks(pool, used.scorecard, names))


def _known(
    session: Session,
    workspace_id: str,
    ids: Sequence[str],
    today: ScoringContext,
    *,
    lens: FeatureSpec,
    now: datetime,
) -> list[AccountFeatures]:
    """Take what today's scores were made of; what was not scored so yet is counted."""
    known = {
        features.account_id: features
        for features in queries.load_current_inputs(
            session, workspace_id, ids, definition=today.definition, as_of=now.date()
        )
    }
    missing = [key for key in ids if key not in known]
    counted = load_features(session, workspace_id, missing, lens, as_of=now.date(), now=now)
    known |= {features.account_id: features for features in counted}
    return [known[key] for key in ids]


def _pages(ids: Sequence[str]) -> Iterator[list[str]]:
    iterator = iter(ids)
    while page := list(islice(iterator, ACCOUNTS_PER_PAGE)):
        yield page
