"""Detect the signals of a set of accounts as of a day; store the changes if the day is today."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.orm import Session

from app.accounts.catalog.tables import Plan
from app.accounts.deadlines.schedule import DeadlineKind, schedule
from app.accounts.refresh_queue import Priority, mark_all_due
from app.billing.queries import load_failed_payments
from app.core.row_queries import list_all_rows
from app.engagement.first_event import find_first_event_day, load_known_days
from app.engagement.queries import load_engagement
from app.engagement.snapshot import Engagement
from app.features.values import FeatureSpec
from app.signals import activity_queries, queries
from app.signals.activity import parse_activity
from app.signals.activity_queries import HalfYear
from app.signals.config import SignalConfig
from app.signals.detect import detect_signals
from app.signals.diff import diff_signals
from app.signals.inputs import NO_ACTIVITY, Activity, FailedInvoices, ScoreInputs, SignalInputs
from app.signals.signal import Signal
from app.signals.tables import SignalSettings
from app.workspaces.service import Actor


@dataclass(frozen=True, slots=True)
class SignalRun:
    """One detection of signals: the workspace, the day, and the features of the accounts.

    ``unchanged``: accounts without new data since the last refresh, except use of today; their
    stored activity is reused. None: activity is not stored.
    """

    workspace_id: str
    spec: FeatureSpec
    as_of: date
    now: datetime
    unchanged: Collection[str] | None = None

    @property
    def through(self) -> date:
        """The last whole day, on which comparisons with the past end."""
        return self.as_of if self.as_of < self.now.date() else self.as_of - timedelta(days=1)


def refresh(session: Session, scores: Sequence[ScoreInputs], run: SignalRun) -> frozenset[str]:
    """Detect and store the signals of today; return the accounts whose signals changed.

    Also store when the next reply to a ticket of each account becomes overdue.

    The caller holds the locks on the score rows of the accounts, and ends the transaction.
    """
    config = get_config(session, run.workspace_id)
    inputs = _load_inputs(session, scores, run, config)
    replies = {each.account.account_id: each.engagement.next_reply_due(run.now) for each in inputs}
    schedule(session, run.workspace_id, DeadlineKind.REPLY, replies)
    detected = _detect(inputs, config)
    stored = queries.load_open_signals(session, run.workspace_id, detected.keys())
    changes = diff_signals(stored, detected)
    queries.write_changes(session, run.workspace_id, changes, now=run.now)
    return changes.accounts


def detect_as_of(
    session: Session, scores: Sequence[ScoreInputs], run: SignalRun
) -> dict[str, list[Signal]]:
    """Return the signals of accounts on a day, most severe first, from what was known that day."""
    config = get_config(session, run.workspace_id)
    return _detect(_load_inputs(session, scores, run, config), config)


def _detect(inputs: Sequence[SignalInputs], config: SignalConfig) -> dict[str, list[Signal]]:
    return {
        each.account.account_id: detect_signals(each, config.thresholds, config.off)
        for each in inputs
    }


def _load_inputs(
    session: Session, scores: Sequence[ScoreInputs], run: SignalRun, config: SignalConfig
) -> list[SignalInputs]:
    """Load the inputs of any number of accounts in a few statements, in the order of ``scores``."""
    workspace_id, as_of = run.workspace_id, run.as_of
    ids = [score.features.account_id for score in scores]
    engagement = load_engagement(session, workspace_id, ids, as_of=as_of, now=run.now)
    champions = {key: each.champions for key, each in engagement.items()}
    activity = _load_activity(session, ids, run, config, champions)
    periods = queries.load_subscription_periods(session, workspace_id, ids, as_of=as_of)
    failed = _failed_invoices(session, workspace_id, ids, as_of)
    plans = {
        row.key: frozenset(row.product_features)
        for row in list_all_rows(session, workspace_id, Plan)
    }
    signed_up = queries.load_signup_days(session, workspace_id, ids)
    with_goals = _share_with_goals(session, scores, engagement, run, config)
    milestones = _milestones_passed(session, workspace_id, ids, config, as_of)
    first_event_on = find_first_event_day(session, workspace_id, as_of=as_of)
    known_from = first_event_on or as_of + timedelta(days=1)
    names = run.spec.product.names_by_feature()
    first = {"as_of": as_of, "first_event_on": known_from}
    features_known_from = load_known_days(session, workspace_id, names, **first)
    key_actions = config.key_actions or [name for name, _ in run.spec.product.events]
    value = load_known_days(session, workspace_id, {"value": key_actions}, **first)
    return [
        SignalInputs(
            as_of=as_of,
            through=run.through,
            score=score,
            activity=activity.get(key, NO_ACTIVITY),
            periods=periods.get(key, ()),
            failed_invoices=failed.get(key, ()),
            plans=plans,
            engagement=engagement[key],
            signed_up_on=signed_up.get(key, score.features.started_on),
            share_with_goals=with_goals,
            milestones_passed=milestones.get(key, {}),
            known_from=known_from,
            features_known_from=features_known_from,
            first_value_known_from=value["value"],
            base_currency=run.spec.base_currency,
        )
        for key, score in zip(ids, scores, strict=True)
    ]


def _share_with_goals(
    session: Session,
    scores: Sequence[ScoreInputs],
    engagement: Mapping[str, Engagement],
    run: SignalRun,
    config: SignalConfig,
) -> float:
    """Return the share of paying accounts with a goal; 0 if no account here could miss one."""
    without_goal = (
        score.features.pays and not engagement[score.features.account_id].goals for score in scores
    )
    if "goal_missing" in config.off or not any(without_goal):
        return 0.0
    return queries.load_share_with_goals(session, run.workspace_id, as_of=run.as_of)


def _load_activity(
    session: Session,
    account_ids: Sequence[str],
    run: SignalRun,
    config: SignalConfig,
    champions: Mapping[str, Collection[str]],
) -> dict[str, Activity]:
    half_year = HalfYear(run.through, run.as_of, run.spec.reach, champions)
    key = (session, run.workspace_id, account_ids, half_year)
    use = (
        activity_queries.load_activity(*key)
        if run.unchanged is None
        else activity_queries.refresh_activity(*key, unchanged=run.unchanged)
    )
    features = dict(run.spec.product.events)
    return {key: parse_activity(row, features, config.key_actions) for key, row in use.items()}


def _milestones_passed(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    config: SignalConfig,
    as_of: date,
) -> dict[str, dict[int, date]]:
    """Read the whole history of the milestone events, only where the workspace configured any."""
    if not config.milestone_events or "milestone" in config.off:
        return {}
    return queries.load_milestones_passed(
        session,
        workspace_id,
        account_ids,
        as_of=as_of,
        event_names=config.milestone_events,
        counts=config.milestone_counts,
        days=config.thresholds.milestone_days,
    )


def _failed_invoices(
    session: Session, workspace_id: str, account_ids: Collection[str], as_of: date
) -> dict[str, list[FailedInvoices]]:
    end = datetime.combine(as_of + timedelta(days=1), time.min, UTC)
    failed: dict[str, list[FailedInvoices]] = {}
    for row in load_failed_payments(session, workspace_id, account_ids, at=end):
        invoices = FailedInvoices(
            row.currency, row.invoices, row.amount_due_cents, row.failed_since.date()
        )
        failed.setdefault(row.account_id, []).append(invoices)
    return failed


def get_config(session: Session, workspace_id: str) -> SignalConfig:
    """Return the settings of a workspace, or the defaults."""
    row = session.get(SignalSettings, workspace_id)
    return SignalConfig.model_validate(row.config) if row else SignalConfig()


def put_config(session: Session, actor: Actor, config: SignalConfig) -> SignalSettings:
    """Replace the settings and mark all accounts to be scored again; equal settings do nothing."""
    workspace_id = actor.workspace_id
    row = session.get(SignalSettings, workspace_id)
    if row is not None and config == get_config(session, workspace_id):
        return row
    stored = config.model_dump(mode="json", exclude_defaults=True)
    actor.audit(session, "signal_settings.changed", workspace_id, stored)
    mark_all_due(session, workspace_id, priority=Priority.SILENT)
    columns = {"config": stored, "changed_at": actor.at, "changed_by": actor.name}
    return session.merge(SignalSettings(workspace_id=workspace_id, **columns))
