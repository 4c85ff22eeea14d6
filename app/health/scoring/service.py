"""Score a set of accounts as of a day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from app.changes.queries import NewChange, record_changes
from app.core.errors import NotFoundError
from app.events.ingestion.queries import find_stale_accounts
from app.features.queries import load_account_features
from app.features.values import AccountFeatures, FeatureSpec
from app.health.overrides.queries import load_overrides_at
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

    The scores are locked first and usage is read in a later statement, so that of two refreshes
    of one account the later one has seen everything that the earlier one saw. A day that is over
    gets its history row once; the newest score is not touched by it.
    """
    workspace = find_workspace(session, workspace_id)
    if workspace is None:
        raise NotFoundError("workspace", workspace_id)
    against, lens = scoring_context.load_context(session, workspace, as_of=as_of, now=now)
    queries.lock_scores(session, workspace_id, account_ids)
    assessments = load_assessments(
        session, workspace_id, account_ids, against, lens, as_of=as_of, now=now
    )
    closed = as_of < now.date()
    moved = queries.write_scores(
        session, workspace_id, assessments, as_of=as_of, now=now, closed=closed
    )
    record_changes(session, workspace_id, [_change(each, as_of) for each in moved], now=now)
    return assessments


def _change(moved: ChangedScore, as_of: date) -> NewChange:
    said = {
        "value": moved.score,
        "before": moved.before,
        "band": moved.band,
        "band_before": moved.band_before,
        "status": moved.status,
        "as_of": as_of,
    }
    return NewChange("score", moved.account_id, said)


def load_assessments(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    against: ScoringContext,
    lens: FeatureSpec,
    *,
    as_of: date,
    now: datetime,
) -> list[Assessment]:
    """Judge accounts as of a day, with what lies over their scores, and write nothing."""
    features = load_features(session, workspace_id, account_ids, lens, as_of=as_of, now=now)
    fresh = assess_accounts(against, features, as_of)
    return _overlaid(session, workspace_id, against, fresh, as_of=as_of, now=now)


def load_features(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    lens: FeatureSpec,
    *,
    as_of: date,
    now: datetime,
) -> list[AccountFeatures]:
    """Describe accounts as of a day, with the signals that a scorecard asks for, open by then."""
    features = load_account_features(session, workspace_id, account_ids, as_of=as_of, lens=lens)
    if not lens.signals:
        return features
    midnight = datetime.combine(as_of + timedelta(days=1), time.min, now.tzinfo)
    kept = load_open_signals(
        session, workspace_id, account_ids, at=midnight if as_of < now.date() else None
    )
    return [
        replace(each, signals=highest_severities(kept.get(each.account_id, ()), lens.signals))
        for each in features
    ]


def _overlaid(
    session: Session,
    workspace_id: str,
    against: ScoringContext,
    fresh: Sequence[Assessment],
    *,
    as_of: date,
    now: datetime,
) -> list[Assessment]:
    """Freeze what has gone stale today, let people overrule, and say how the score has moved."""
    ids = [each.account_id for each in fresh]
    closed = as_of < now.date()
    at = datetime.combine(as_of + timedelta(days=1), time.min, now.tzinfo) if closed else now
    stale = set() if closed else find_stale_accounts(session, workspace_id, ids)
    last = queries.load_last_scores(session, workspace_id, sorted(stale)) if stale else {}
    said = load_overrides_at(session, workspace_id, ids, at=at)
    earlier = queries.load_earlier_scores(session, workspace_id, ids, as_of=as_of)
    found = []
    for each in fresh:
        key = each.account_id
        known = post_processing.freeze_stale(each, last.get(key)) if key in stale else each
        card = against.scorecard.cards[each.details["card"]]
        known = post_processing.apply_override(known, said.get(key), card)
        found.append(post_processing.add_trend(known, earlier.get(key, {})))
    return found
