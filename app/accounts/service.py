"""What is known of accounts, users and what they pay; each write makes the accounts due."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import (
    aliases,
    links,
    queries,
    subscription_queries,
    subscriptions,
    tombstones,
)
from app.accounts.subscriptions import Period, Terms
from app.accounts.tables import Account, Subscription, User
from app.accounts.traits import is_internal
from app.core.errors import ConflictError, NotFoundError
from app.core.query_helpers import table_noun

API, TRAITS = "api", "traits"
"""Where terms were said. The traits of ``group`` calls stand back behind every other source."""

MERGED_FIELDS = {"traits", "feature_exceptions"}


def write_account(
    session: Session,
    workspace_id: str,
    account_id: str,
    said: Mapping[str, Any],
    *,
    replace: bool,
    now: datetime,
) -> Account:
    """Create an account or replace what is known of it; or change only what is said.

    A change merges traits and exceptions by name; None removes one.
    """
    account_id = aliases.current_id(session, workspace_id, account_id)
    if replace:
        ensure_exists(session, workspace_id, Account, account_id)
    account = queries.get(session, workspace_id, Account, account_id, lock=True)
    columns = {name: value for name, value in said.items() if name not in links.LINK_FIELDS}
    _set_columns(account, columns, replace=replace)
    links.apply_links(session, account, said, replace=replace)
    account.traits_at = now
    queries.mark_due(session, workspace_id, [account_id])
    return account


def write_user(
    session: Session,
    workspace_id: str,
    user_id: str,
    said: Mapping[str, Any],
    *,
    replace: bool,
    internal_domains: Collection[str],
    now: datetime,
) -> User:
    """Create a user or replace what is known of them; or change only what is said.

    A user's account is noted first, as ingestion does: in that order nobody waits for the other.
    """
    if said.get("account_id") is not None:
        account_id = aliases.current_id(session, workspace_id, said["account_id"])
        ensure_exists(session, workspace_id, Account, account_id)
        said = {**said, "account_id": account_id}
    if replace:
        ensure_exists(session, workspace_id, User, user_id)
    user = queries.get(session, workspace_id, User, user_id, lock=True)
    account_before = user.account_id
    excluded = _is_excluded(user, said, internal_domains)
    _set_columns(user, {**said, "excluded": excluded}, replace=replace)
    user.traits_at = now
    if user.account_id != account_before:
        user.account_since = now
    touched = [account for account in (account_before, user.account_id) if account is not None]
    queries.mark_due(session, workspace_id, touched)
    return user


def ensure_exists(
    session: Session, workspace_id: str, table: type[Account | User], key: str
) -> None:
    """Create an account or a user unless there is one; one that was erased is refused."""
    if queries.ensure(session, workspace_id, table, key):
        tombstones.refuse_erased(session, workspace_id, table_noun(table), key)


def _is_excluded(user: User, said: Mapping[str, Any], internal_domains: Collection[str]) -> bool:
    """Take what was said; else the e-mail address decides, which never ends an exclusion."""
    if said.get("excluded") is not None:
        return bool(said["excluded"])
    internal = is_internal(said.get("email", user.email), internal_domains)
    return internal or (user.excluded and "excluded" not in said)


def _set_columns(row: Account | User, said: Mapping[str, Any], *, replace: bool) -> None:
    for name, value in said.items():
        before = {} if replace else getattr(row, name)
        setattr(row, name, _merged(before, value) if name in MERGED_FIELDS else value)


def _merged(before: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**before, **said}.items() if value is not None}


def put_subscription(
    session: Session,
    workspace_id: str,
    account_id: str,
    subscription_id: str,
    new: Period,
    *,
    known_on: date,
) -> list[Subscription]:
    """Let new terms hold from a day on; return the subscription as it is known now."""
    account_id = aliases.current_id(session, workspace_id, account_id)
    if new.ends_on is not None and new.ends_on <= new.starts_on:
        raise ConflictError(
            f"ends_on must lie after {new.starts_on}, where the terms start.", code="empty_period"
        )
    if put_period(
        session, workspace_id, account_id, subscription_id, new, source=API, known_on=known_on
    ):
        queries.mark_due(session, workspace_id, [account_id])
    return _current_rows(session, workspace_id, account_id, subscription_id)


def end_subscription(
    session: Session,
    workspace_id: str,
    account_id: str,
    subscription_id: str,
    *,
    on: date,
    reason: str | None,
    known_on: date,
) -> list[Subscription]:
    """Let nothing be paid from a day on. That it ends earlier already is a conflict."""
    account_id = aliases.current_id(session, workspace_id, account_id)
    queries.get(session, workspace_id, Account, account_id, lock=True)
    known = subscription_queries.list_known_periods(session, workspace_id, account_id)
    periods = current_periods(known, subscription_id)
    if not periods:
        raise NotFoundError("subscription", subscription_id)
    if all(period.ends_on is not None and period.ends_on < on for period in periods):
        raise ConflictError(
            "It ends earlier already; to lengthen it, put its terms again with a later ends_on.",
            code="already_ended",
        )
    ended = {subscription_id: subscriptions.end_periods(periods, on, reason)}
    if subscription_queries.write_periods(
        session, workspace_id, account_id, ended, source=API, known_on=known_on
    ):
        queries.mark_due(session, workspace_id, [account_id])
    return _current_rows(session, workspace_id, account_id, subscription_id)


def put_period(
    session: Session,
    workspace_id: str,
    account_id: str,
    subscription_id: str,
    new: Period,
    *,
    source: str,
    known_on: date,
) -> bool:
    """Let a period hold as ``subscriptions.change`` says; whether anything was news.

    From its start on it takes the place of what ``group`` calls said of the account.
    """
    account_id, known = lock_account_periods(session, workspace_id, account_id)
    changes = {
        subscription_id: subscriptions.apply_period(current_periods(known, subscription_id), new)
    }
    if TRAITS not in (source, subscription_id):
        changes = end_trait_periods(known, new.starts_on) | changes
    return subscription_queries.write_periods(
        session, workspace_id, account_id, changes, source=source, known_on=known_on
    )


def lock_account_periods(
    session: Session, workspace_id: str, account_id: str
) -> tuple[str, Sequence[Subscription]]:
    """Return the account of today, locked and created if need be, and what is known of its pay."""
    account_id = aliases.current_id(session, workspace_id, account_id)
    ensure_exists(session, workspace_id, Account, account_id)
    queries.get(session, workspace_id, Account, account_id, lock=True)
    return account_id, subscription_queries.list_known_periods(session, workspace_id, account_id)


def end_trait_periods(known: Iterable[Subscription], on: date) -> dict[str, list[Period]]:
    """Return what to write so that what ``group`` calls said ends on a day."""
    told = {row.subscription_id for row in known if row.source == TRAITS}
    return {
        each: subscriptions.end_periods(current_periods(known, each), on, None) for each in told
    }


def apply_price_traits(
    session: Session,
    workspace_id: str,
    account_id: str,
    price: Mapping[str, Any],
    *,
    on: date,
    known_on: date,
    base_currency: str,
) -> bool:
    """Take the price that a ``group`` call names, unless another source has told; whether it did.

    ``price`` holds any of the terms of a period and ``renewal_on``. The caller has written the
    account in this transaction, so that nobody else changes its subscriptions.
    """
    known = subscription_queries.list_known_periods(session, workspace_id, account_id)
    if any(row.source != TRAITS for row in known):
        return False
    periods = current_periods(known, TRAITS)
    new = subscriptions.period_with_price(periods, price, on=on, base_currency=base_currency)
    if new is None:
        return False
    changes = {TRAITS: subscriptions.apply_period(periods, new)}
    for each in sorted({row.subscription_id for row in known} - {TRAITS}):  # of a merged account
        until_now = [period for period in current_periods(known, each) if period.starts_on <= on]
        changes[each] = subscriptions.end_periods(until_now, on, None)
    return subscription_queries.write_periods(
        session, workspace_id, account_id, changes, source=TRAITS, known_on=known_on
    )


def _current_rows(
    session: Session, workspace_id: str, account_id: str, subscription_id: str
) -> list[Subscription]:
    known = subscription_queries.list_known_periods(session, workspace_id, account_id)
    return [
        row
        for row in known
        if row.subscription_id == subscription_id and row.ends_on != row.starts_on
    ]


def current_periods(rows: Iterable[Subscription], subscription_id: str) -> list[Period]:
    """Take the standing ones of one subscription."""
    return [
        Period(
            row.starts_on,
            row.ends_on,
            Terms(row.plan, row.mrr_cents, row.currency, row.seats),
            row.renewal_on,
            row.end_reason,
            row.notice_days,
        )
        for row in rows
        if row.subscription_id == subscription_id and row.ends_on != row.starts_on
    ]
