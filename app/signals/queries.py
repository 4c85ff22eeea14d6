"""Queries of stored signals, and of the rows that signals are detected from."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime, timedelta

import orjson
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.accounts.catalog.tables import ProductFeature
from app.accounts.excluded_users import without_excluded_users
from app.accounts.renewals import ENDED_LATELY, grace_days, renewals
from app.accounts.tables import Account, Subscription, User
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page
from app.core.row_queries import load_names
from app.core.sql import load_sql
from app.signals.diff import OpenSignal, SignalChanges
from app.signals.inputs import SubscriptionPeriod
from app.signals.signal import EvidenceNames, Severity, Signal
from app.signals.tables import AccountSignal

SQL = load_sql(
    __file__,
    without_excluded_users=without_excluded_users(),
    renewals=renewals(is_wanted=ENDED_LATELY),
)


def load_subscription_periods(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date
) -> dict[str, list[SubscriptionPeriod]]:
    """Return the subscription periods started by a day, as known on that day, by account."""
    key = (Subscription.account_id, Subscription.subscription_id, Subscription.starts_on)
    columns = [getattr(Subscription, field.name) for field in fields(SubscriptionPeriod)]
    rows = session.execute(
        select(Subscription.account_id, *columns)
        .ext(distinct_on(*key))
        .where(
            Subscription.workspace_id == workspace_id,
            Subscription.account_id.in_(account_ids),
            Subscription.known_on <= as_of,
            Subscription.starts_on <= as_of,
        )
        .order_by(*key, Subscription.known_on.desc())
    )
    periods: dict[str, list[SubscriptionPeriod]] = {}
    for row in rows:
        account_id, period = row[0], SubscriptionPeriod(*row[1:])
        if period.ends_on is None or period.ends_on > period.starts_on:  # else it was withdrawn
            periods.setdefault(account_id, []).append(period)
    return periods


def load_signup_days(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, date]:
    """Return the day on which the contract or the trial started, where one of them is known."""
    started_on = func.least(Account.started_on, Account.trial_started_on)
    rows = session.execute(
        select(Account.account_id, started_on).where(
            Account.workspace_id == workspace_id, Account.account_id.in_(account_ids)
        )
    )
    return {account_id: day for account_id, day in rows if day is not None}


def load_share_with_goals(session: Session, workspace_id: str, *, as_of: date) -> float:
    """Return the share of the accounts that pay on a day of which a goal was known by then."""
    values = {"workspace_id": workspace_id, "as_of": as_of, "grace_days": grace_days(session)}
    return session.scalar(SQL.share_with_goals, values) or 0.0


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
    """Return which total numbers of events each account reached in the last ``days``, and when."""
    values = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "as_of": as_of,
        "since": as_of - timedelta(days=days),
        "event_names": list(event_names),
        "counts": list(counts),
    }
    milestones: dict[str, dict[int, date]] = {}
    for account_id, count, day in session.execute(SQL.milestones_passed, values):
        milestones.setdefault(account_id, {})[count] = day
    return milestones


def load_open_signals(
    session: Session,
    workspace_id: str,
    account_ids: Collection[str],
    *,
    at: datetime | None = None,
) -> dict[str, list[OpenSignal]]:
    """Return the signals that are open now, or were open at an instant, by account."""
    names = ("account_id", "id", "signal", "severity", "since", "evidence", "key")
    rows = select(*(getattr(AccountSignal, name) for name in names)).where(
        AccountSignal.workspace_id == workspace_id, AccountSignal.account_id.in_(account_ids)
    )
    if at is None:
        rows = rows.where(AccountSignal.cleared_at.is_(None))
    else:
        still_open = AccountSignal.cleared_at.is_(None) | (AccountSignal.cleared_at > at)
        rows = rows.where(AccountSignal.opened_at <= at, still_open)
    signals: dict[str, list[OpenSignal]] = {}
    for account_id, number, name, severity, *rest in session.execute(rows):
        signal = Signal(name, Severity(severity), *rest)
        signals.setdefault(account_id, []).append(OpenSignal(number, signal))
    return signals


def write_changes(
    session: Session, workspace_id: str, changes: SignalChanges, *, now: datetime
) -> None:
    """Clear, change and open signals: at most one statement for each kind of change."""
    values = {"workspace_id": workspace_id, "now": now}
    changed = [asdict(row.signal) | {"id": row.id} for row in changes.changed]
    opened = [
        asdict(signal) | {"account_id": account_id, "signal": signal.name}
        for account_id, signal in changes.opened
    ]
    if changes.cleared:
        session.execute(SQL.clear_signals, values | {"ids": sorted(changes.cleared)})
    for statement, rows in ((SQL.update_signals, changed), (SQL.insert_signals, opened)):
        if rows:
            session.execute(statement, values | {"rows": orjson.dumps(rows).decode()})


def list_account_signals(
    session: Session, workspace_id: str, account_id: str, paging: Paging, *, everything: bool
) -> RowPage[AccountSignal]:
    """Return the open signals of an account, or with ``everything`` all of them, newest first."""
    rows = select(AccountSignal).where(
        AccountSignal.workspace_id == workspace_id, AccountSignal.account_id == account_id
    )
    if not everything:
        rows = rows.where(AccountSignal.cleared_at.is_(None))
    return fetch_page(session, rows, AccountSignal.id, paging=paging, descending=True)


def list_open_signals(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    names: Collection[str],
    severities: Collection[str],
) -> RowPage[AccountSignal]:
    """Return the open signals of all accounts, by account id. No names or severities: all."""
    rows = select(AccountSignal).where(
        AccountSignal.workspace_id == workspace_id, AccountSignal.cleared_at.is_(None)
    )
    if names:
        rows = rows.where(AccountSignal.signal.in_(names))
    if severities:
        rows = rows.where(AccountSignal.severity.in_(severities))
    return fetch_page(session, rows, AccountSignal.account_id, AccountSignal.id, paging=paging)


def load_evidence_names(
    session: Session, workspace_id: str, signals: Collection[AccountSignal]
) -> EvidenceNames:
    """Return the names of all product features, and of the people in the evidence of signals."""
    features = load_names(session, workspace_id, ProductFeature) if signals else {}
    ids = {each.evidence["user_id"] for each in signals if "user_id" in each.evidence}
    rows = select(User.user_id, User.name).where(
        User.workspace_id == workspace_id, User.user_id.in_(ids), User.name.is_not(None)
    )
    people = session.execute(rows) if ids else ()
    return EvidenceNames(features, {row.user_id: row.name for row in people})
