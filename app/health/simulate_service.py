"""Try another scorecard on every account, as of today, and write nothing that scores anybody."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from app.features.values import AccountFeatures, Lens
from app.health import benchmark_queries, queries, scorecard_queries, yardstick
from app.health.assess import Assessment, Yardstick, assess, fit_benchmarks, month_ends, poolable
from app.health.benchmark_queries import StoredBenchmarks
from app.health.definition import Definition
from app.health.judge import facts_of
from app.health.service import features_on
from app.health.simulate import Comparison, compare
from app.health.yardstick import complete, define
from app.workspaces.queries import get_workspace
from app.workspaces.tables import Workspace

AT_ONCE = 2000
UNKEPT = "simulated"


def simulate(session: Session, workspace_id: str, version: int, *, now: datetime) -> Comparison:
    """Compare a version with the one that holds, over the same accounts on the same day.

    Usage is not counted again where both look at the same: what today's scores are made of is
    there. Overrides and silent sources are left out on both sides.
    """
    workspace = get_workspace(session, workspace_id)
    as_of = now.date()
    ids = queries.account_ids(session, workspace_id)
    today, lens = yardstick.current(session, workspace, as_of=as_of, now=now)
    card = scorecard_queries.scorecard_of(session, workspace_id, version)
    candidate = define(session, workspace, version, card)
    then, other_lens = _held_against(session, workspace, candidate, (today, lens), ids=ids, now=now)
    before: list[Assessment] = []
    after: list[Assessment] = []
    for some in _pages(ids):
        features = _known(session, workspace_id, some, today, lens=lens, now=now)
        others = features
        if other_lens != lens:
            others = features_on(session, workspace_id, some, other_lens, as_of=as_of, now=now)
        before.extend(assess(today, features, as_of))
        after.extend(assess(then, others, as_of))
    return compare(before, after)


def _held_against(
    session: Session,
    workspace: Workspace,
    candidate: Definition,
    held: tuple[Yardstick, Lens],
    *,
    ids: Sequence[str],
    now: datetime,
) -> tuple[Yardstick, Lens]:
    """Hold accounts against the candidate's benchmark: the one that is kept, or one for now.

    Where it looks at what today's scorecard looks at, the month-ends in the history are fitted;
    else usage has to be counted, and the benchmark is kept for when the version is activated.
    """
    today, lens = held
    kept = benchmark_queries.benchmarks(
        session, workspace.id, month=today.month, meaning=candidate.meaning, now=now
    )
    used = complete(candidate, today.benchmarks)
    if kept is None and used.lens == lens:
        kept = _fitted(session, workspace.id, used, today, ids)
    if kept is None:
        said = (candidate.version, candidate.scorecard)
        return yardstick.current(session, workspace, as_of=now.date(), now=now, candidate=said)
    used = complete(candidate, kept.benchmarks)
    return yardstick.yardstick(used, kept), used.lens


def _fitted(
    session: Session, workspace_id: str, used: Definition, today: Yardstick, ids: Sequence[str]
) -> StoredBenchmarks | None:
    """Fit to the month-ends that history tells of; None where it does not."""
    pool = [
        facts
        for day in month_ends(today.month)
        for some in _pages(ids)
        for facts in facts_of(
            used.offer, poolable(queries.inputs_on(session, workspace_id, some, day=day), day), day
        )
    ]
    if not pool:
        return None
    names = () if used.configured else today.benchmarks[""].product_features
    return StoredBenchmarks(UNKEPT, today.month, fit_benchmarks(pool, used.scorecard, names))


def _known(
    session: Session,
    workspace_id: str,
    ids: Sequence[str],
    today: Yardstick,
    *,
    lens: Lens,
    now: datetime,
) -> list[AccountFeatures]:
    """Take what today's scores were made of; what was not scored so yet is counted."""
    known = {
        features.account_id: features
        for features in queries.inputs_now(
            session, workspace_id, ids, definition=today.definition, as_of=now.date()
        )
    }
    missing = [key for key in ids if key not in known]
    counted = features_on(session, workspace_id, missing, lens, as_of=now.date(), now=now)
    known |= {features.account_id: features for features in counted}
    return [known[key] for key in ids]


def _pages(ids: Sequence[str]) -> Iterator[list[str]]:
    iterator = iter(ids)
    while page := list(islice(iterator, AT_ONCE)):
        yield page
