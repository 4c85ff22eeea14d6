"""Whether planted causes lead to the right playbook, in the worlds that signals are measured in."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.bench.causes import DAYS, LEAST_FOUND, MOST_UNAFFECTED, Seen, share, watch, watched
from app.bench.results import Result
from app.demo.world import Cause
from app.health.scoring import scoring_context
from app.health.scoring.service import load_assessments
from app.health.scoring.signal_sync import load_signals
from app.interventions.playbooks.catalogue import shipped_playbooks
from app.interventions.playbooks.definition import CustomerType
from app.interventions.ranking import Case, eligible_playbooks, rank_playbooks
from app.workspaces.queries import get_workspace

RIGHT: Mapping[Cause, str] = {
    Cause.CHAMPION_LEFT: "find_next_champion",
    Cause.FEATURE_NEVER_ADOPTED: "teach_unused_feature",
    Cause.STUCK_IN_ONBOARDING: "unblock_onboarding",
    Cause.REACH_FELL: "add_value",
    Cause.PRICE_ROSE: "right_size",
    Cause.SUPPORT_SLOW: "recover_support",
}
Proposed = Sequence[str]
"""Playbooks in their order."""


def run() -> list[Result]:
    seen = watch(_proposed)
    return [result for cause in RIGHT for result in _results(cause, seen)]


def _proposed(
    session: Session, workspace_id: str, ids: Sequence[str], as_of: date, now: datetime
) -> dict[str, Proposed]:
    """Rank without a trained model: the band stands for the risk."""
    workspace = get_workspace(session, workspace_id)
    against, lens = scoring_context.load_context(session, workspace, as_of=as_of, now=now)
    scored = load_assessments(session, workspace_id, ids, against, lens, as_of=as_of, now=now)
    signals = load_signals(session, workspace_id, ids, as_of=as_of, now=now)
    found: dict[str, Proposed] = {}
    for each in scored:
        case = Case(
            account_id=each.account_id,
            business=CustomerType.B2B,
            status=each.status,
            band=each.band,
            mrr_cents=each.mrr_cents,
            probability=None,
            drivers=signals[each.account_id],
            matched=frozenset(shipped_playbooks()),
        )
        ranked = rank_playbooks(
            case, eligible_playbooks(case, shipped_playbooks()), shipped_playbooks(), {}
        )
        found[each.account_id] = [one.fit.key for one in ranked]
    return found


def _results(cause: Cause, seen: Seen[Proposed]) -> Iterator[Result]:
    name = RIGHT[cause]
    affected, others = watched(seen, cause), watched(seen, Cause.NONE)
    found, wrong = (share(each, lambda day: day[:1] == [name]) for each in (affected, others))
    held, somewhere = (share(each, lambda day: name in day) for each in (affected, others))
    yield Result(
        f"{cause}: {name} comes first within {DAYS} days",
        f"{found:.0%} of {len(affected)}",
        f"is suggested to {held:.0%}",
        f"≥ {LEAST_FOUND:.0%}",
        found >= LEAST_FOUND,
    )
    yield Result(
        f"{name} is suggested without a cause",
        f"{somewhere:.0%} of {len(others)}",
        f"comes first for {wrong:.0%}",
        f"≤ {MOST_UNAFFECTED:.0%}",
        somewhere <= MOST_UNAFFECTED,
    )
