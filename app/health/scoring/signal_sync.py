"""Update signals from fresh scores, and detect the signals of any day."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, mark_due
from app.core.errors import NotFoundError
from app.events.sources.queries import load_stale_accounts
from app.health.definition.benchmark import MEASURES, Normalizer
from app.health.definition.benchmark_queries import find_definition
from app.health.definition.entitlement import Entitlement
from app.health.scoring import scoring_context
from app.health.scoring.assess import Assessment, HealthStatus, PriceStatus
from app.health.scoring.service import load_assessments
from app.signals import service as signals
from app.signals.inputs import OverLimit, ScoreInputs, UnusedPaidFeature
from app.signals.signal import Signal
from app.workspaces.queries import get_workspace


def refresh(
    session: Session,
    workspace_id: str,
    assessments: Sequence[Assessment],
    *,
    as_of: date,
    now: datetime,
    unchanged: Collection[str] = (),
) -> frozenset[str]:
    """Update the signals of accounts that were just scored; return the accounts that changed.

    ``unchanged``: accounts with no new data since the last refresh except today's usage. Signals of
    accounts with a silent event source stay as they are. If the scorecard uses signals, the changed
    accounts are queued for another refresh. For a past day nothing is done.
    """
    silent = load_stale_accounts(session, workspace_id, [each.account_id for each in assessments])
    fresh = [each for each in assessments if each.account_id not in silent]
    if not fresh or as_of < now.date():
        return frozenset()
    digest = fresh[0].details["definition"]
    definition = find_definition(session, workspace_id, digest)
    if definition is None:
        raise NotFoundError("score definition", digest)
    changed = signals.refresh(
        session,
        workspace_id,
        [score_inputs(each) for each in fresh],
        spec=definition.spec,
        as_of=as_of,
        now=now,
        unchanged=unchanged,
    )
    if definition.spec.signals:
        mark_due(session, workspace_id, changed, priority=Priority.SILENT)
    return changed


def load_signals(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date, now: datetime
) -> dict[str, list[Signal]]:
    """Return the signals of accounts as of a day, most severe first, and write nothing.

    Use only data known by that day. ``now`` decides whether the day is over; if it is not, accounts
    with a silent event source are left out.
    """
    workspace = get_workspace(session, workspace_id)
    context, spec = scoring_context.load_context(session, workspace, as_of=as_of, now=now)
    silent = (
        set() if as_of < now.date() else load_stale_accounts(session, workspace_id, account_ids)
    )
    ids = [key for key in account_ids if key not in silent]
    assessments = load_assessments(session, workspace_id, ids, context, spec, as_of=as_of, now=now)
    inputs = [score_inputs(each) for each in assessments]
    return signals.detect_as_of(session, workspace_id, inputs, spec=spec, as_of=as_of, now=now)


def score_inputs(assessment: Assessment) -> ScoreInputs:
    """Return what signals use of a score. Measure scores only if they are ranks for a price."""
    details = assessment.details
    entitlement: Entitlement = details["entitlement"]
    is_ranked = (
        details["normalizer"] is not Normalizer.SHARE
        and details["price_status"] is PriceStatus.PRICED
    )
    scores = {
        each["source"]: each["score"]
        for each in details["measures"]
        if is_ranked and each["source"] in MEASURES and each["score"] is not None
    }
    return ScoreInputs(
        features=details["inputs"],
        health=assessment.score,
        is_scored=assessment.status in {HealthStatus.OK, HealthStatus.OVERRIDDEN},
        scores=scores,
        unused=[UnusedPaidFeature(each.key, each.share, each.cents) for each in entitlement.unused],
        idle_seats_cents=entitlement.seats.idle_cents if entitlement.seats else None,
        over_limits=[
            OverLimit(each.name, each.limit, each.used) for each in entitlement.over_limits
        ],
    )
