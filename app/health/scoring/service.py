"""Score a set of accounts as of a day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from app.changes.queries import NewChange, record_changes
from app.core.errors import NotFoundError
from app.events.sources.queries import load_stale_accounts
from app.features.queries import load_account_features
from app.features.values import AccountFeatures, FeatureSpec
from app.health.scoring import post_processing, queries, scoring_context
from app.health.scoring.assess import Assessment, ScoringContext, assess_accounts
from app.health.scoring.queries import ChangedScore
from app.signals.diff import highest_severities
from app.signals.queries import load_open_signals
from app.workspaces.queries import find_workspace


def refresh(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date, now: datetime
) -> list[Assessment]:
    """Score a set of accounts and write scores and history, in the caller's transaction.

    The score rows are locked first and usage is read by a later statement: of two concurrent
    refreshes of an account, the later one sees everything that the earlier one saw. For a past day
    only a missing history row is written; the newest score stays as it is.
    """
    workspace = find_workspace(session, workspace_id)
    if workspace is None:
        raise NotFoundError("workspace", workspace_id)
    context, spec = scoring_context.load_context(session, workspace, as_of=as_of, now=now)
    queries.lock_scores(session, workspace_id, account_ids)
    assessments = load_assessments(
        session, workspace_id, account_ids, context, spec, as_of=as_of, now=now
    )
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
    spec: FeatureSpec,
    *,
    as_of: date,
    now: datetime,
) -> list[Assessment]:
    """Assess accounts as of a day, with overrides and trend, and write nothing."""
    features = load_features(session, workspace_id, account_ids, spec, as_of=as_of, now=now)
    fresh = assess_accounts(context, features, as_of)
    return _post_process(session, workspace_id, context, fresh, as_of=as_of, now=now)


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
    signals = load_open_signals(session, workspace_id, account_ids, at=at)
    return [
        replace(each, signals=highest_severities(signals.get(each.account_id, ()), spec.signals))
        for each in features
    ]


def _day_end(day: date, now: datetime) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, now.tzinfo)


def _post_process(
    session: Session,
    workspace_id: str,
    context: ScoringContext,
    fresh: Sequence[Assessment],
    *,
    as_of: date,
    now: datetime,
) -> list[Assessment]:
    """Freeze scores that went stale today, apply overrides and add the trend."""
    ids = [each.account_id for each in fresh]
    is_past = as_of < now.date()
    at = _day_end(as_of, now) if is_past else now
    stale = set() if is_past else load_stale_accounts(session, workspace_id, ids)
    last = queries.load_last_scores(session, workspace_id, sorted(stale)) if stale else {}
    overrides = queries.load_overrides_at(session, workspace_id, ids, at=at)
    earlier = queries.load_earlier_scores(session, workspace_id, ids, as_of=as_of)
    processed = []
    for each in fresh:
        key = each.account_id
        assessment = post_processing.freeze_stale(each, last.get(key)) if key in stale else each
        card = context.scorecard.cards[each.details["card"]]
        assessment = post_processing.apply_override(assessment, overrides.get(key), card)
        processed.append(post_processing.add_trend(assessment, earlier.get(key, {})))
    return processed
