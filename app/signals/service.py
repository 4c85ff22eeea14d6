"""Find the signals of a set of accounts as of a day, and keep those of today."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.orm import Session

from app.accounts.due import Priority
from app.accounts.queries import list_plans, mark_all_due
from app.billing.invoice_queries import load_failed_payments
from app.engagement.queries import load_engagement
from app.features.values import FeatureSpec
from app.signals import activity_queries, queries
from app.signals.activity import parse_activity
from app.signals.activity_queries import Quarter
from app.signals.config import SignalConfig
from app.signals.detect import detect_signals
from app.signals.diff import diff_signals
from app.signals.inputs import NO_ACTIVITY, FailedInvoices, ScoreInputs, SignalInputs
from app.signals.signal import Signal
from app.signals.tables import SignalSettings
from app.workspaces.service import Actor


def refresh(
    session: Session,
    workspace_id: str,
    worths: Sequence[ScoreInputs],
    *,
    lens: FeatureSpec,
    as_of: date,
    now: datetime,
    unchanged: Collection[str] = (),
) -> frozenset[str]:
    """Keep what holds today, in the caller's transaction; return the accounts of which it changed.

    Of ``unchanged`` accounts nothing has come since the last refresh but use of today. The scores
    of the accounts are locked by the caller.
    """
    found = detect_as_of(
        session, workspace_id, worths, lens=lens, as_of=as_of, now=now, unchanged=unchanged
    )
    news = diff_signals(queries.load_open_signals(session, workspace_id, found.keys()), found)
    queries.write_changes(session, workspace_id, news, now=now)
    return news.accounts


def detect_as_of(
    session: Session,
    workspace_id: str,
    worths: Sequence[ScoreInputs],
    *,
    lens: FeatureSpec,
    as_of: date,
    now: datetime,
    unchanged: Collection[str] | None = None,
) -> dict[str, list[Signal]]:
    """Find what held for accounts on a day, the gravest first, from what was known then.

    A day that is not over is compared with the past up to the day before. ``unchanged``: see
    ``refresh``; None writes nothing.
    """
    config = get_config(session, workspace_id)
    facts = load_inputs(
        session,
        workspace_id,
        worths,
        config=config,
        lens=lens,
        as_of=as_of,
        now=now,
        unchanged=unchanged,
    )
    return {
        each.account.account_id: detect_signals(each, config.thresholds, config.off)
        for each in facts
    }


def load_inputs(
    session: Session,
    workspace_id: str,
    worths: Sequence[ScoreInputs],
    *,
    config: SignalConfig,
    lens: FeatureSpec,
    as_of: date,
    now: datetime,
    unchanged: Collection[str] | None,
) -> list[SignalInputs]:
    """Gather the facts of accounts in a few statements, however many there are."""
    ids = [worth.features.account_id for worth in worths]
    through = as_of if as_of < now.date() else as_of - timedelta(days=1)
    told = load_engagement(session, workspace_id, ids, as_of=as_of, now=now)
    champions = {key: each.champions for key, each in told.items()}
    quarter = Quarter(through, as_of, lens.reach, champions)
    use = (
        activity_queries.load_activity(session, workspace_id, ids, quarter)
        if unchanged is None
        else activity_queries.refresh_activity(
            session, workspace_id, ids, quarter, unchanged=unchanged
        )
    )
    features = dict(lens.product.events)
    terms = queries.load_subscription_periods(session, workspace_id, ids, as_of=as_of)
    failed = _failed_bills(session, workspace_id, ids, as_of)
    sold = {row.key: frozenset(row.product_features) for row in list_plans(session, workspace_id)}
    signed_up = queries.load_signup_days(session, workspace_id, ids)
    uses_goals = queries.has_goals(session, workspace_id, as_of=as_of)
    passed = _passed(session, workspace_id, ids, config, as_of)
    return [
        SignalInputs(
            as_of=as_of,
            through=through,
            worth=worth,
            activity=parse_activity(use[key], features, config.key_actions)
            if key in use
            else NO_ACTIVITY,
            terms=terms.get(key, ()),
            failed_invoices=failed.get(key, ()),
            plans=sold,
            engagement=told[key],
            signed_up_on=signed_up.get(key, worth.features.started_on),
            uses_goals=uses_goals,
            passed=passed.get(key, {}),
        )
        for key, worth in zip(ids, worths, strict=True)
    ]


def _passed(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    config: SignalConfig,
    as_of: date,
) -> dict[str, dict[int, date]]:
    """Look through all of the past, and only where somebody wants it."""
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


def _failed_bills(
    session: Session, workspace_id: str, account_ids: Collection[str], as_of: date
) -> dict[str, list[FailedInvoices]]:
    end = datetime.combine(as_of + timedelta(days=1), time.min, UTC)
    found: dict[str, list[FailedInvoices]] = {}
    for each in load_failed_payments(session, workspace_id, account_ids, at=end):
        bills = FailedInvoices(
            each.currency, each.invoices, each.amount_due_cents, each.failed_since.date()
        )
        found.setdefault(each.account_id, []).append(bills)
    return found


def get_config(session: Session, workspace_id: str) -> SignalConfig:
    row = queries.find_settings(session, workspace_id)
    return SignalConfig.model_validate(row.config) if row else SignalConfig()


def put_config(session: Session, change: Actor, config: SignalConfig) -> SignalSettings:
    """Replace the settings; the same again changes nothing."""
    workspace_id = change.workspace_id
    row = queries.find_settings(session, workspace_id)
    if row is not None and config == SignalConfig.model_validate(row.config):
        return row
    said = config.model_dump(mode="json", exclude_defaults=True)
    change.audit(session, "signal_settings.changed", workspace_id, said)
    mark_all_due(session, workspace_id, priority=Priority.SILENT)
    return queries.upsert_settings(session, workspace_id, said, by=change.actor, now=change.at)
