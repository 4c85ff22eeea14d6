"""Apply B2B events to accounts, members and prices, in the transaction that stores them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.accounts import queries as accounts
from app.accounts.subscription_service import end_account_subscriptions, end_trait_subscriptions
from app.accounts.tables import Account
from app.events.reading.b2b import B2BEvent, B2BEventKind, LifecycleDates, apply_b2b_event
from app.events.reading.identities import PriceRow

DELETION_REASON = "account_deleted"

# An unknown user who leaves is inserted without an account, so that the ingest statement does not
# make them a member by the same event.
END_MEMBERSHIP = text("""
INSERT INTO "user" AS u (workspace_id, user_id, account_since)
VALUES (:workspace_id, :user_id, :at)
ON CONFLICT (workspace_id, user_id) DO UPDATE SET
    account_id = NULL, account_since = excluded.account_since
WHERE coalesce(u.account_id = :account_id, true)
  AND coalesce(u.account_since <= excluded.account_since, true)
""")


def end_memberships(session: Session, workspace_id: str, events: Iterable[B2BEvent]) -> None:
    """End the memberships of users who leave, in key order. A membership that began later stays."""
    removals = [event for event in events if event.kind is B2BEventKind.USER_REMOVED]
    for event in sorted(removals, key=lambda event: (event.user_id or "", event.at)):
        values = {"user_id": event.user_id, "account_id": event.account_id, "at": event.at}
        session.execute(END_MEMBERSHIP, {"workspace_id": workspace_id, **values})


def write_lifecycle_dates(session: Session, workspace_id: str, events: Sequence[B2BEvent]) -> None:
    """Write the start and end of trials, and the deletion of accounts, locking in key order."""
    by_account: dict[str, list[B2BEvent]] = {}
    for event in _in_order(events):
        by_account.setdefault(event.account_id, []).append(event)
    for account_id, account_events in by_account.items():
        accounts.ensure(session, workspace_id, Account, account_id)
        account = accounts.get(session, workspace_id, Account, account_id, lock=True)
        dates = LifecycleDates(account.trial_started_on, account.trial_ends_on, account.deleted_on)
        for event in account_events:
            dates = apply_b2b_event(dates, event)
        account.trial_started_on = dates.trial_started_on
        account.trial_ends_on = dates.trial_ends_on
        account.deleted_on = dates.deleted_on
    session.flush()


def _in_order(events: Iterable[B2BEvent]) -> list[B2BEvent]:
    return sorted(events, key=lambda event: (event.account_id, event.at, event.n))


def end_prices(
    session: Session,
    workspace_id: str,
    events: Sequence[B2BEvent],
    prices: Sequence[PriceRow],
    *,
    known_on: date | None,
) -> Mapping[int, str]:
    """End subscriptions of cancelled and deleted accounts; return a warning by event number.

    The warning is given where the subscription comes from another source and therefore does not
    end. ``known_on`` None: for history, which is known on its own day. A price stated later on the
    same day stays.
    """
    last_stated = {(row.account_id, row.stated_at.date()): row.stated_at for row in prices}
    warnings: dict[int, str] = {}
    for event in _in_order(events):
        if last_stated.get((event.account_id, event.day), event.at) > event.at:
            continue
        known = known_on or event.day
        if event.kind is B2BEventKind.ACCOUNT_DELETED:
            ended = end_account_subscriptions(
                session,
                workspace_id,
                event.account_id,
                on=event.day,
                reason=DELETION_REASON,
                known_on=known,
            )
        elif event.kind is B2BEventKind.SUBSCRIPTION_CANCELLED:
            ended = end_trait_subscriptions(
                session,
                workspace_id,
                event.account_id,
                on=event.ends_on or event.day,
                reason=event.reason,
                known_on=known,
            )
        else:
            continue
        if not ended:
            warnings[event.n] = "mrr_ignored"
    return warnings
