"""Between scores and signals: what signals take from a score, and the signals of any day."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.accounts.due import Priority
from app.accounts.queries import mark_due
from app.core.errors import NotFoundError
from app.events.ingestion.queries import find_stale_accounts
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
    """Keep the signals of accounts that were just scored; return those of which they changed.

    Of ``unchanged`` accounts nothing has come since the last refresh but use of today.
    Where the source of an account's events is silent, its signals stay as they are. Where the
    scorecard looks at signals, those of which they changed are due again.
    """
    silent = find_stale_accounts(session, workspace_id, [each.account_id for each in assessments])
    fresh = [each for each in assessments if each.account_id not in silent]
    if not fresh or as_of < now.date():
        return frozenset()
    digest = fresh[0].details["definition"]
    said = find_definition(session, workspace_id, digest)
    if said is None:
        raise NotFoundError("score definition", digest)
    worths = [score_inputs(each) for each in fresh]
    moved = signals.refresh(
        session,
        workspace_id,
        worths,
        lens=said.lens,
        as_of=as_of,
        now=now,
        unchanged=unchanged,
    )
    if said.lens.signals:
        mark_due(session, workspace_id, moved, priority=Priority.SILENT)
    return moved


def load_signals(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date, now: datetime
) -> dict[str, list[Signal]]:
    """Find what held for accounts on a day, the gravest first, and write nothing.

    Only what was known by then counts. ``now`` says whether the day is over; of a day that is not,
    accounts are left out whose source is silent.
    """
    workspace = get_workspace(session, workspace_id)
    against, lens = scoring_context.load_context(session, workspace, as_of=as_of, now=now)
    silent = (
        set() if as_of < now.date() else find_stale_accounts(session, workspace_id, account_ids)
    )
    ids = [key for key in account_ids if key not in silent]
    found = load_assessments(session, workspace_id, ids, against, lens, as_of=as_of, now=now)
    worths = [score_inputs(each) for each in found]
    return signals.detect_as_of(session, workspace_id, worths, lens=lens, as_of=as_of, now=now)


def score_inputs(assessment: Assessment) -> ScoreInputs:
    details = assessment.details
    paid: Entitlement = details["entitlement"]
    compared = (
        details["normalizer"] is not Normalizer.SHARE
        and details["price_status"] is PriceStatus.PRICED
    )
    scores = {
        each["source"]: each["score"]
        for each in details["measures"]
        if compared and each["source"] in MEASURES and each["score"] is not None
    }
    return ScoreInputs(
        features=details["inputs"],
        health=assessment.score,
        is_scored=assessment.status in {HealthStatus.OK, HealthStatus.OVERRIDDEN},
        scores=scores,
        unused=[UnusedPaidFeature(each.key, each.share, each.cents) for each in paid.unused],
        idle_seats_cents=paid.seats.idle_cents if paid.seats else None,
        over_limits=[OverLimit(each.name, each.limit, each.used) for each in paid.over_limits],
    )
