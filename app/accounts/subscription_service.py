"""Subscriptions that a billing system tells whole, and what an event in the product ends."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from app.accounts import queries, subscription_queries, subscriptions
from app.accounts.service import TRAITS, current_periods, end_trait_periods, lock_account_periods
from app.accounts.subscriptions import Period
from app.accounts.tables import Subscription

BILLING_SOURCES = frozenset({"stripe"})
"""Systems that tell every change of what they bill themselves."""


def replace_periods(
    session: Session,
    workspace_id: str,
    account_id: str,
    subscription_id: str,
    wanted: Sequence[Period],
    *,
    source: str,
    known_on: date,
) -> bool:
    """Let exactly these periods stand; whether anything was news. In order, without overlap.

    From the first of them on they take the place of what ``group`` calls said of the account.
    """
    account_id, known = lock_account_periods(session, workspace_id, account_id)
    changes = {
        subscription_id: subscriptions.replace_all(current_periods(known, subscription_id), wanted)
    }
    if wanted:
        changes = end_trait_periods(known, wanted[0].starts_on) | changes
    is_news = subscription_queries.write_periods(
        session, workspace_id, account_id, changes, source=source, known_on=known_on
    )
    if is_news:
        queries.mark_due(session, workspace_id, [account_id])
    return is_news


def end_trait_subscriptions(
    session: Session,
    workspace_id: str,
    account_id: str,
    *,
    on: date,
    reason: str | None,
    known_on: date,
) -> bool:
    """Let what ``group`` calls said be paid no longer from a day on; False: another has told."""
    known = subscription_queries.list_known_periods(session, workspace_id, account_id)
    if any(row.source != TRAITS for row in known):
        return False
    _end_subscriptions(
        session, workspace_id, account_id, known, on=on, reason=reason, known_on=known_on
    )
    return True


def end_account_subscriptions(
    session: Session, workspace_id: str, account_id: str, *, on: date, reason: str, known_on: date
) -> bool:
    """Let nothing be paid from a day on, but what a billing system tells of: it tells its own end.

    Whether there was no such system.
    """
    known = subscription_queries.list_known_periods(session, workspace_id, account_id)
    ours = [row for row in known if row.source not in BILLING_SOURCES]
    _end_subscriptions(
        session, workspace_id, account_id, ours, on=on, reason=reason, known_on=known_on
    )
    return len(ours) == len(known)


def _end_subscriptions(
    session: Session,
    workspace_id: str,
    account_id: str,
    known: Sequence[Subscription],
    *,
    on: date,
    reason: str | None,
    known_on: date,
) -> None:
    """End what runs on the day. What begins later was said of later, and stays."""
    for each, source in sorted({row.subscription_id: row.source for row in known}.items()):
        until_now = [period for period in current_periods(known, each) if period.starts_on <= on]
        ended = {each: subscriptions.end_periods(until_now, on, reason)}
        subscription_queries.write_periods(
            session, workspace_id, account_id, ended, source=source, known_on=known_on
        )
