"""Apply B2B events to accounts, members and prices, in the transaction that stores them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from functools import reduce
from itertools import groupby

from sqlalchemy.orm import Session

from app.accounts import queries as accounts
from app.accounts.subscription_service import AccountSubscriptions
from app.accounts.tables import Account
from app.accounts.traits import ROW_TIME, field_time
from app.core.row_queries import ensure_row
from app.core.sql import load_sql
from app.events.reading.b2b import B2BEvent, B2BEventKind, LifecycleDates, apply_b2b_event
from app.events.reading.identities import PriceRow

DELETION_REASON = "account_deleted"

SQL = load_sql(__file__, row_time=ROW_TIME.format(row="u"))


def apply_b2b_events(
    session: Session,
    workspace_id: str,
    events: Sequence[B2BEvent],
    prices: Sequence[PriceRow],
    *,
    known_on: date | None,
) -> Mapping[int, str]:
    """Write the dates, memberships and prices that B2B events report.

    Return a warning code by event number. ``prices``: the price rows of the same batch.
    ``known_on``: the day on which the events become known; None: imported history, which counts as
    known on the day it happened.
    """
    ordered = sorted(events, key=lambda event: (event.account_id, event.at, event.n))
    _write_lifecycle_dates(session, workspace_id, ordered)
    _end_memberships(session, workspace_id, events)
    return _end_prices(session, workspace_id, ordered, prices, known_on)


def _write_lifecycle_dates(session: Session, workspace_id: str, events: Sequence[B2BEvent]) -> None:
    """Write trial and deletion dates of accounts; the accounts are locked in key order."""
    names = [each.name for each in fields(LifecycleDates)]
    for account_id, account_events in groupby(events, key=lambda event: event.account_id):
        ensure_row(session, workspace_id, Account, account_id)
        account = accounts.get(session, workspace_id, Account, account_id, lock=True)
        dates = LifecycleDates(*(getattr(account, name) for name in names))
        dates = reduce(apply_b2b_event, account_events, dates)
        for name in names:
            setattr(account, name, getattr(dates, name))
    session.flush()


def _end_memberships(session: Session, workspace_id: str, events: Sequence[B2BEvent]) -> None:
    """End the memberships of users who leave, in key order. One that began later stays."""
    removals = [event for event in events if event.kind is B2BEventKind.USER_REMOVED]
    for event in sorted(removals, key=lambda event: (event.user_id or "", event.at)):
        values = {"user_id": event.user_id, "account_id": event.account_id, "at": event.at}
        values |= {"workspace_id": workspace_id, "time": field_time(event.at)}
        session.execute(SQL.end_membership, values)


def _end_prices(
    session: Session,
    workspace_id: str,
    events: Sequence[B2BEvent],
    prices: Sequence[PriceRow],
    known_on: date | None,
) -> Mapping[int, str]:
    """End the subscriptions of accounts that cancel or are deleted.

    Return a warning code by number of each event whose subscription comes from another source and
    therefore does not end. A price stated later on the same day stays in force.
    """
    last_stated = {(row.account_id, row.stated_at.date()): row.stated_at for row in prices}
    warnings: dict[int, str] = {}
    for event in events:
        account_id, day = event.account_id, event.day
        account = AccountSubscriptions(session, workspace_id, account_id, known_on or day)
        if last_stated.get((account_id, day), event.at) > event.at:
            continue
        if event.kind is B2BEventKind.ACCOUNT_DELETED:
            ended = account.end_all(on=day, reason=DELETION_REASON)
        elif event.kind is B2BEventKind.SUBSCRIPTION_CANCELLED:
            ended = account.end_traits(on=event.ends_on or day, reason=event.reason)
        else:
            continue
        if not ended:
            warnings[event.n] = "mrr_ignored"
    return warnings
