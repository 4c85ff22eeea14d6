"""What B2B events do to accounts and members, in the transaction that stores them."""

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

# A user who is first heard of by leaving is written as one without an account, so that the same
# event does not make them a member.
END_MEMBERSHIP = text("""
INSERT INTO "user" AS u (workspace_id, user_id, account_since)
VALUES (:workspace_id, :user_id, :at)
ON CONFLICT (workspace_id, user_id) DO UPDATE SET
    account_id = NULL, account_since = excluded.account_since
WHERE coalesce(u.account_id = :account_id, true)
  AND coalesce(u.account_since <= excluded.account_since, true)
""")


def end_memberships(session: Session, workspace_id: str, moments: Iterable[B2BEvent]) -> None:
    """End memberships, in key order; one that began later stays."""
    left = [each for each in moments if each.told is B2BEventKind.USER_REMOVED]
    for each in sorted(left, key=lambda moment: (moment.user_id or "", moment.at)):
        values = {"user_id": each.user_id, "account_id": each.account_id, "at": each.at}
        session.execute(END_MEMBERSHIP, {"workspace_id": workspace_id, **values})


def write_lifecycle_dates(session: Session, workspace_id: str, moments: Sequence[B2BEvent]) -> None:
    """Write when trials began and ended and accounts were deleted."""
    by_account: dict[str, list[B2BEvent]] = {}
    for each in sorted(moments, key=lambda moment: (moment.account_id, moment.at, moment.n)):
        by_account.setdefault(each.account_id, []).append(each)
    for account_id, told in by_account.items():
        accounts.ensure(session, workspace_id, Account, account_id)
        account = accounts.get(session, workspace_id, Account, account_id, lock=True)
        days = LifecycleDates(account.trial_started_on, account.trial_ends_on, account.deleted_on)
        for each in told:
            days = apply_b2b_event(days, each)
        account.trial_started_on, account.trial_ends_on = days.trial_started_on, days.trial_ends_on
        account.deleted_on = days.deleted_on
    session.flush()


def end_prices(
    session: Session,
    workspace_id: str,
    moments: Sequence[B2BEvent],
    prices: Sequence[PriceRow],
    *,
    known_on: date | None,
) -> Mapping[int, str]:
    """Let pay end as told; return a warning by event number where another source tells it.

    ``known_on`` None: for history, which is known on its own day. What was sold anew later on the
    same day stands.
    """
    last_said = {(row.account_id, row.said_at.date()): row.said_at for row in prices}
    warnings: dict[int, str] = {}
    for each in sorted(moments, key=lambda moment: (moment.account_id, moment.at, moment.n)):
        if last_said.get((each.account_id, each.day), each.at) > each.at:
            continue
        known = known_on or each.day
        if each.told is B2BEventKind.ACCOUNT_DELETED:
            ended = end_account_subscriptions(
                session,
                workspace_id,
                each.account_id,
                on=each.day,
                reason=DELETION_REASON,
                known_on=known,
            )
        elif each.told is B2BEventKind.SUBSCRIPTION_CANCELLED:
            ended = end_trait_subscriptions(
                session,
                workspace_id,
                each.account_id,
                on=each.ends_on or each.day,
                reason=each.reason,
                known_on=known,
            )
        else:
            continue
        if not ended:
            warnings[each.n] = "mrr_ignored"
    return warnings
