"""Apply B2B events to accounts, members and prices, in the transaction that stores them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from functools import reduce
from itertools import groupby

from sqlalchemy.orm import Session

from app.accounts import queries as accounts
from app.accounts.stated_prices.replay import Cancellation, DayStatement
from app.accounts.stated_prices.service import apply_statements
from app.accounts.subscription_service import AccountSubscriptions
from app.accounts.tables import Account
from app.accounts.traits import ROW_TIME, field_time
from app.core.row_queries import ensure_row
from app.core.sql import load_sql
from app.events.reading.b2b import B2BEvent, B2BEventKind
from app.events.reading.identities import Identities
from app.events.reading.lifecycle_dates import LifecycleDates, apply_b2b_event

DELETION_REASON = "account_deleted"
END_KINDS = frozenset({B2BEventKind.ACCOUNT_DELETED, B2BEventKind.SUBSCRIPTION_CANCELLED})

SQL = load_sql(__file__, row_time=ROW_TIME.format(row="u"))


def apply_b2b_events(session: Session, workspace_id: str, events: Sequence[B2BEvent]) -> None:
    """Write the dates and memberships that B2B events report."""
    ordered = sorted(events, key=lambda event: (event.account_id, event.at, event.n))
    _write_lifecycle_dates(session, workspace_id, ordered)
    _end_memberships(session, workspace_id, events)


def _write_lifecycle_dates(session: Session, workspace_id: str, events: Sequence[B2BEvent]) -> None:
    """Write trial and deletion dates of accounts; the accounts are locked in key order."""
    names = [*LifecycleDates().columns()]
    for account_id, account_events in groupby(events, key=lambda event: event.account_id):
        ensure_row(session, workspace_id, Account, account_id)
        account = accounts.get(session, workspace_id, Account, account_id, lock=True)
        columns = {name: getattr(account, name) for name in names}
        known = LifecycleDates.of_account(columns, account.lifecycle_dates)
        dates = reduce(apply_b2b_event, account_events, known)
        if dates != known:
            for name, day in dates.columns().items():
                setattr(account, name, day)
            account.lifecycle_dates = dates.stored()
    session.flush()


def _end_memberships(session: Session, workspace_id: str, events: Sequence[B2BEvent]) -> None:
    """End the memberships of users who leave, in key order. One that began later stays."""
    removals = [event for event in events if event.kind is B2BEventKind.USER_REMOVED]
    for event in sorted(removals, key=lambda event: (event.user_id or "", event.at)):
        values = {"user_id": event.user_id, "account_id": event.account_id, "at": event.at}
        values |= {"workspace_id": workspace_id, "time": field_time(event.at)}
        session.execute(SQL.end_membership, values)


def apply_prices(
    session: Session,
    workspace_id: str,
    identities: Identities,
    *,
    known_on: date | None,
    base_currency: str,
) -> Sequence[int]:
    """Apply the prices and ends that events state, from the day of their event on.

    Return the numbers of the events that terms from another source override. The accounts are
    locked. ``known_on``: the day on which the events become known; None: imported history, which
    counts as known on the day it happened.
    """
    statements: defaultdict[tuple[str, str], list[DayStatement]] = defaultdict(list)
    for row in identities.prices:
        key = row.account_id, row.old_account_id
        statements[key].append(DayStatement(row.day, row.price))
    ends = [event for event in identities.b2b_events if event.kind in END_KINDS]
    for event in sorted(ends, key=lambda event: (event.at, event.n)):
        if event.kind is B2BEventKind.ACCOUNT_DELETED and event.old_account_id:
            continue  # it ends what came by the merge only
        statements[event.account_id, event.old_account_id].append(_end_statement(event))
    others_start = {
        account_id: apply_statements(
            session,
            workspace_id,
            account_id,
            statements[account_id, old_account_id],
            known_on=known_on,
            base_currency=base_currency,
            old_account_id=old_account_id,
        )
        for account_id, old_account_id in sorted(statements)
    }
    stated = [(row.account_id, row.day, n) for row in identities.prices for n in row.numbers]
    cancelled = [event for event in ends if event.kind is B2BEventKind.SUBSCRIPTION_CANCELLED]
    stated += [(event.account_id, event.day, event.n) for event in cancelled]
    overridden = [n for name, day, n in stated if day >= (others_start[name] or date.max)]
    return [*overridden, *_end_deleted_accounts(session, workspace_id, ends, known_on)]


def _end_statement(event: B2BEvent) -> DayStatement:
    is_deleted = event.kind is B2BEventKind.ACCOUNT_DELETED
    reason = DELETION_REASON if is_deleted else event.reason
    ends_on = event.day if is_deleted else event.ends_on or event.day
    return DayStatement(event.day, {}, Cancellation(event.at, ends_on, reason))


def _end_deleted_accounts(
    session: Session, workspace_id: str, events: Iterable[B2BEvent], known_on: date | None
) -> Sequence[int]:
    """End what the API and imports state of deleted accounts, or all that came from a merged one.

    Return the numbers of the events whose account a billing system bills.
    """
    return [
        event.n
        for event in sorted(events, key=lambda event: (event.account_id, event.at))
        if event.kind is B2BEventKind.ACCOUNT_DELETED
        and not AccountSubscriptions(
            session, workspace_id, event.account_id, known_on or event.day
        ).end_all(on=event.day, reason=DELETION_REASON, merged_account_id=event.old_account_id)
    ]
