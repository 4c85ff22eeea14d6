"""Whether a planted cause leads to the right playbook, in the same worlds as ``causes``."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.demo.world import Cause
from app.health.scoring.scoring_context import load_context
from app.health.scoring.service import load_assessments, load_signals
from app.interventions.playbooks.catalogue import shipped_playbooks
from app.interventions.playbooks.definition import CustomerType
from app.interventions.ranking import Case, eligible_playbooks, rank_playbooks
from bench.demo.worlds import (
    MAX_UNAFFECTED,
    MIN_AFFECTED,
    Observations,
    Sizes,
    observe_worlds,
    select_by_cause,
    share_of_accounts,
)
from bench.results import Result
from bench.rig.rig import Rig

EXPECTED_PLAYBOOKS: Mapping[Cause, str] = {
    Cause.CHAMPION_LEFT: "find_next_champion",
    Cause.FEATURE_NEVER_ADOPTED: "teach_unused_feature",
    Cause.STUCK_IN_ONBOARDING: "unblock_onboarding",
    Cause.REACH_FELL: "add_value",
    Cause.PRICE_ROSE: "right_size",
    Cause.SUPPORT_SLOW: "recover_support",
}
Suggested = Sequence[str]
"""The keys of the suggested playbooks, best first."""


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    observations = observe_worlds(rig, "playbooks", sizes, _suggest)
    return [
        result
        for cause in EXPECTED_PLAYBOOKS
        for result in _results(cause, observations, sizes.observed_days)
    ]


def _suggest(
    session: Session, workspace_id: str, ids: Sequence[str], as_of: date, now: datetime
) -> dict[str, Suggested]:
    """Rank the playbooks without a trained model: the band of the score stands for the risk."""
    context = load_context(session, workspace_id, as_of=as_of, now=now)
    assessments = load_assessments(session, workspace_id, ids, context, as_of=as_of, now=now)
    signals = load_signals(session, workspace_id, ids, as_of=as_of, now=now)
    suggested: dict[str, Suggested] = {}
    for assessment in assessments:
        case = Case(
            account_id=assessment.account_id,
            business=CustomerType.B2B,
            status=assessment.status,
            band=assessment.band,
            mrr_cents=assessment.mrr_cents,
            probability=None,
            drivers=signals[assessment.account_id],
            matched=frozenset(shipped_playbooks()),
        )
        eligible = eligible_playbooks(case, shipped_playbooks())
        ranked = rank_playbooks(case, eligible, shipped_playbooks(), {})
        suggested[assessment.account_id] = [each.eligible.key for each in ranked]
    return suggested


def _results(cause: Cause, observations: Observations[Suggested], days: int) -> Iterator[Result]:
    name = EXPECTED_PLAYBOOKS[cause]
    affected = select_by_cause(observations, cause)
    unaffected = select_by_cause(observations, Cause.NONE)
    right_first, wrong_first = (
        share_of_accounts(accounts, lambda keys: keys[:1] == [name])
        for accounts in (affected, unaffected)
    )
    right, wrong = (
        share_of_accounts(accounts, lambda keys: name in keys)
        for accounts in (affected, unaffected)
    )
    yield Result(
        f"{cause}: {name} comes first within {days} days",
        right_first,
        f"{right_first:.0%} of {len(affected)}",
        f"suggested to {right:.0%}",
        f"≥ {MIN_AFFECTED:.0%}",
        right_first >= MIN_AFFECTED,
    )
    yield Result(
        f"{name} is suggested without a cause",
        wrong,
        f"{wrong:.0%} of {len(unaffected)}",
        f"comes first for {wrong_first:.0%}",
        f"≤ {MAX_UNAFFECTED:.0%}",
        wrong <= MAX_UNAFFECTED,
    )
