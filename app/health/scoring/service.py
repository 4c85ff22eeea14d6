"""Score a set of accounts as of a day, and update or detect their signals from the scores."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, mark_due
from app.changes.queries import NewChange, record_changes
from app.core.errors import NotFoundError
from app.events.sources.queries import load_stale_accounts
from app.features.queries import PLAN_FOR_FEW_ROWS, load_account_features
from app.features.values import AccountFeatures, FeatureSpec
from app.health.definition.benchmark import MEASURES, Normalizer
from app.health.definition.benchmark_queries import find_definition
from app.health.definition.entitlement import Entitlement
from app.health.scoring import post_processing, queries
from app.health.scoring.assess import (
    Assessment,
    HealthStatus,
    PriceStatus,
    ScoringContext,
    assess_accounts,
)
from app.health.scoring.queries import ChangedScore
from app.health.scoring.scoring_context import load_context
from app.signals import service as signals
from app.signals.diff import highest_severities
from app.signals.inputs import ScoreInputs
from app.signals.queries import load_open_signals
from app.signals.service import SignalRun
from app.signals.signal import Signal

ATTRIBUTES = ("segment", "industry", "owner", "employees", "end_customers", "excluded")
"""Attributes of accounts that rules use and that are stored with each score."""


def refresh(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date, now: datetime
) -> list[Assessment]:
    """Score a set of accounts and write scores and history, in the caller's transaction.

    The score rows are locked first and usage is read by a later statement: of two concurrent
    refreshes of an account, the later one sees everything that the earlier one saw. For a past day
    only a missing history row is written; the newest score stays as it is.
    """
    context = load_context(session, workspace_id, as_of=as_of, now=now)
    queries.lock_scores(session, workspace_id, account_ids)
    assessments = load_assessments(
        session, workspace_id, account_ids, context, as_of=as_of, now=now
    )
    session.execute(PLAN_FOR_FEW_ROWS)
    is_past = as_of < now.date()
    changed = queries.write_scores(
        session, workspace_id, assessments, as_of=as_of, now=now, is_past=is_past
    )
    record_changes(session, workspace_id, [_change(each, as_of) for each in changed], now=now)
    return assessments


def _change(changed: ChangedScore, as_of: date) -> NewChange:
    data = {
        "value": changed.score,
        "before": changed.before,
        "band": changed.band,
        "band_before": changed.band_before,
        "status": changed.status,
        "as_of": as_of,
    }
    return NewChange("score", changed.account_id, data)


def load_assessments(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    context: ScoringContext,
    *,
    as_of: date,
    now: datetime,
    stored_attributes: bool = False,
) -> list[Assessment]:
    """Assess accounts as of a day and write nothing.

    Scores that went stale today are frozen; overrides apply and the trend is added.
    ``stored_attributes``: use segment, owner and so on as they were stored with the score of the
    day, not as they are now.
    """
    definition, is_past = context.definition, as_of < now.date()
    features = load_features(
        session, workspace_id, account_ids, definition.spec, as_of=as_of, now=now
    )
    if stored_attributes:
        features = _with_stored_attributes(session, workspace_id, features, as_of)
    fresh = assess_accounts(context, features, as_of)
    ids = [each.account_id for each in fresh]
    at = _day_end(as_of, now) if is_past else now
    stale = set() if is_past else load_stale_accounts(session, workspace_id, ids)
    last = queries.load_last_scores(session, workspace_id, sorted(stale)) if stale else {}
    overrides = queries.load_overrides_at(session, workspace_id, ids, at=at)
    earlier = queries.load_earlier_scores(session, workspace_id, ids, as_of=as_of)
    processed = []
    for each in fresh:
        key = each.account_id
        assessment = post_processing.freeze_stale(each, last.get(key)) if key in stale else each
        card = definition.scorecard.cards[each.details["card"]]
        assessment = post_processing.apply_override(assessment, overrides.get(key), card)
        processed.append(post_processing.add_trend(assessment, earlier.get(key, {})))
    return processed


def _with_stored_attributes(
    session: Session, workspace_id: str, features: Sequence[AccountFeatures], day: date
) -> list[AccountFeatures]:
    """Replace attributes by those of the last score on or before a day. Traits are added up."""
    ids = [each.account_id for each in features]
    rows = queries.load_history_rows(session, workspace_id, ids, day=day)
    stored = {key: row.details.get("inputs") or {} for key, row in rows.items()}
    return [
        replace(
            each,
            **{name: found[name] for name in ATTRIBUTES if name in found},
            traits={**each.traits, **found.get("traits", {})},
        )
        for each in features
        for found in (stored.get(each.account_id, {}),)
    ]


def load_features(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    spec: FeatureSpec,
    *,
    as_of: date,
    now: datetime,
) -> list[AccountFeatures]:
    """Load the features of accounts as of a day, with the open signals that the scorecard uses."""
    features = load_account_features(session, workspace_id, account_ids, as_of=as_of, spec=spec)
    if not spec.signals:
        return features
    at = _day_end(as_of, now) if as_of < now.date() else None
    opened = load_open_signals(session, workspace_id, account_ids, at=at)
    return [
        replace(each, signals=highest_severities(opened.get(each.account_id, ()), spec.signals))
        for each in features
    ]


def _day_end(day: date, now: datetime) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, now.tzinfo)


def refresh_signals(
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
    run = SignalRun(workspace_id, definition.spec, as_of, now, unchanged)
    changed = signals.refresh(session, [score_inputs(each) for each in fresh], run)
    if run.spec.signals:
        mark_due(session, workspace_id, changed, priority=Priority.SILENT)
    return changed


def load_signals(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date, now: datetime
) -> dict[str, list[Signal]]:
    """Return the signals of accounts as of a day, most severe first, and write nothing.

    Use only data known by that day. ``now`` decides whether the day is over; if it is not, accounts
    with a silent event source are left out.
    """
    context = load_context(session, workspace_id, as_of=as_of, now=now)
    is_past = as_of < now.date()
    silent = set() if is_past else load_stale_accounts(session, workspace_id, account_ids)
    ids = [key for key in account_ids if key not in silent]
    assessments = load_assessments(session, workspace_id, ids, context, as_of=as_of, now=now)
    inputs = [score_inputs(each) for each in assessments]
    run = SignalRun(workspace_id, context.definition.spec, as_of, now)
    return signals.detect_as_of(session, inputs, run)


def score_inputs(assessment: Assessment) -> ScoreInputs:
    """Return the parts of a score that signals use; measure scores only if ranked by price."""
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
        unused=entitlement.unused,
        idle_seats_cents=entitlement.seats.idle_cents if entitlement.seats else None,
        over_limits=entitlement.over_limits,
    )
