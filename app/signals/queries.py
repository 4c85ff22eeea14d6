from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.accounts.tables import Account, Subscription
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page
from app.engagement.tables import Goal
from app.signals import statements
from app.signals.diff import OpenSignal, SignalChanges
from app.signals.inputs import SubscriptionPeriod
from app.signals.signal import Severity, Signal
from app.signals.tables import AccountSignal, SignalSettings


def load_subscription_periods(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date
) -> dict[str, list[SubscriptionPeriod]]:
    """Return the periods of subscriptions that had begun by a day, as they were known then."""
    key = (Subscription.account_id, Subscription.subscription_id, Subscription.starts_on)
    rows = session.execute(
        select(
            *key,
            Subscription.ends_on,
            Subscription.plan,
            Subscription.mrr_cents,
            Subscription.currency,
            Subscription.seats,
            Subscription.end_reason,
        )
        .ext(distinct_on(*key))
        .where(
            Subscription.workspace_id == workspace_id,
            Subscription.account_id.in_(account_ids),
            Subscription.known_on <= as_of,
            Subscription.starts_on <= as_of,
        )
        .order_by(*key, Subscription.known_on.desc())
    )
    found: dict[str, list[SubscriptionPeriod]] = {}
    for row in rows:
        account_id, period = row[0], SubscriptionPeriod(*row[1:])
        if period.ends_on is None or period.ends_on > period.starts_on:  # else it was withdrawn
            found.setdefault(account_id, []).append(period)
    return found


def load_signup_days(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, date]:
    """Return the day on which accounts began, as far as somebody has told it."""
    began = func.least(Account.started_on, Account.trial_started_on)
    rows = session.execute(
        select(Account.account_id, began).where(
            Account.workspace_id == workspace_id, Account.account_id.in_(account_ids)
        )
    )
    return {account_id: day for account_id, day in rows if day is not None}


def has_goals(session: Session, workspace_id: str, *, as_of: date) -> bool:
    """Whether a goal of any account was known on a day."""
    found = exists().where(Goal.workspace_id == workspace_id, Goal.known_on <= as_of)
    return bool(session.scalar(select(found)))


def load_milestones_passed(
    session: Session,
    workspace_id: str,
    account_ids: Collection[str],
    *,
    as_of: date,
    event_names: Collection[str],
    counts: Collection[int],
    days: int,
) -> dict[str, dict[int, date]]:
    """Return the numbers of events since the beginning that were passed in the last days."""
    values = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "as_of": as_of,
        "since": as_of - timedelta(days=days),
        "event_names": list(event_names),
        "counts": list(counts),
    }
    found: dict[str, dict[int, date]] = {}
    for account_id, count, day in session.execute(statements.MILESTONES_PASSED, values):
        found.setdefault(account_id, {})[count] = day
    return found


SELECT_SIGNAL = select(
    AccountSignal.account_id,
    AccountSignal.id,
    AccountSignal.signal,
    AccountSignal.severity,
    AccountSignal.since,
    AccountSignal.evidence,
    AccountSignal.key,
)


def load_open_signals(
    session: Session,
    workspace_id: str,
    account_ids: Collection[str],
    *,
    at: datetime | None = None,
) -> dict[str, list[OpenSignal]]:
    """Return the signals that are open, or were at an instant, by account."""
    rows = SELECT_SIGNAL.where(
        AccountSignal.workspace_id == workspace_id, AccountSignal.account_id.in_(account_ids)
    )
    if at is None:
        rows = rows.where(AccountSignal.cleared_at.is_(None))
    else:
        still_open = AccountSignal.cleared_at.is_(None) | (AccountSignal.cleared_at > at)
        rows = rows.where(AccountSignal.opened_at <= at, still_open)
    found: dict[str, list[OpenSignal]] = {}
    for account_id, number, name, severity, *said in session.execute(rows):
        kept = OpenSignal(number, Signal(name, Severity(severity), *said))
        found.setdefault(account_id, []).append(kept)
    return found


def write_changes(
    session: Session, workspace_id: str, news: SignalChanges, *, now: datetime
) -> None:
    """Write what is news; nothing, where nothing is."""
    values = {"workspace_id": workspace_id, "now": now}
    if news.cleared:
        session.execute(statements.CLEAR_SIGNALS, values | {"ids": sorted(news.cleared)})
    if news.changed:
        rows = [asdict(row.signal) | {"id": row.id} for row in news.changed]
        session.execute(statements.UPDATE_SIGNALS, values | {"rows": orjson.dumps(rows).decode()})
    if news.opened:
        rows = [
            asdict(signal) | {"account_id": account_id, "signal": signal.name}
            for account_id, signal in news.opened
        ]
        session.execute(statements.INSERT_SIGNALS, values | {"rows": orjson.dumps(rows).decode()})


def find_settings(session: Session, workspace_id: str) -> SignalSettings | None:
    return session.get(SignalSettings, workspace_id)


def upsert_settings(
    session: Session, workspace_id: str, config: Mapping[str, Any], *, by: str, now: datetime
) -> SignalSettings:
    row = SignalSettings(
        workspace_id=workspace_id, config=dict(config), changed_at=now, changed_by=by
    )
    return session.merge(row)


def list_account_signals(
    session: Session, workspace_id: str, account_id: str, paging: Paging, *, everything: bool
) -> RowPage[AccountSignal]:
    """Those that are open, or all; the newest first."""
    rows = select(AccountSignal).where(
        AccountSignal.workspace_id == workspace_id, AccountSignal.account_id == account_id
    )
    if not everything:
        rows = rows.where(AccountSignal.cleared_at.is_(None))
    return fetch_page(session, rows, AccountSignal.id, paging=paging, newest=True)


def list_open_signals(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    names: Collection[str],
    severities: Collection[str],
) -> RowPage[AccountSignal]:
    """Those that are open, in the order of accounts. No names: any."""
    rows = select(AccountSignal).where(
        AccountSignal.workspace_id == workspace_id, AccountSignal.cleared_at.is_(None)
    )
    if names:
        rows = rows.where(AccountSignal.signal.in_(names))
    if severities:
        rows = rows.where(AccountSignal.severity.in_(severities))
    return fetch_page(session, rows, AccountSignal.account_id, AccountSignal.id, paging=paging)
