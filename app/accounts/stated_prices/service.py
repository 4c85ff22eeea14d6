"""Store what events state about a price, and bring the account's periods in line with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts.stated_prices.replay import DayStatement, end_at, replay, statements_of
from app.accounts.stated_prices.statement_queries import load_statements, write_statements
from app.accounts.subscription_service import AccountSubscriptions


def apply_statements(
    session: Session,
    workspace_id: str,
    account_id: str,
    new: Iterable[DayStatement],
    *,
    known_on: date | None,
    base_currency: str,
    old_account_id: str = "",
) -> date | None:
    """Apply what events state about an account that is locked in this transaction.

    ``known_on``: None for history, which is known on its own day. ``old_account_id``: the id of the
    merged account to which the events were sent. Return the first day on which
    terms from another source are in force: from then on statements change nothing.
    """
    account = AccountSubscriptions(session, workspace_id, account_id, known_on or date.min)
    if old_account_id:
        new = _apply_before_merge(account, old_account_id, new, known_on, base_currency)
    others_start = account.first_day_of_other_sources()
    until = others_start or date.max
    stored = load_statements(session, workspace_id, account_id)
    if not any("mrr_cents" in each.fields for each in stored.values()):
        stored = _with_stored_periods(account, stored)
    counted = [each for each in _merged(new) if each.day < until]
    for day, statements in _by_known_day(counted, known_on).items():
        merged = [stored.get(each.day, DayStatement(each.day)).merge(each) for each in statements]
        stored |= {each.day: each for each in merged}
        write_statements(session, workspace_id, account_id, merged)
        periods = replay(stored.values(), base_currency)
        if others_start is not None:
            periods = end_at(periods, others_start, None)
        on_day = replace(account, known_on=day)
        on_day.replace_trait_terms(periods, days=[each.day for each in statements])
        if not periods:
            _restate_merged(on_day, statements, base_currency)
        for each in statements:
            if end := each.cancellation:
                on_day.end_merged_terms(end.ends_on, end.reason, stated_on=each.day)
    return others_start


def _apply_before_merge(
    account: AccountSubscriptions,
    old_account_id: str,
    new: Iterable[DayStatement],
    known_on: date | None,
    base_currency: str,
) -> Sequence[DayStatement]:
    """Apply what was stated of an account before it was merged to its own terms; return the rest.

    Its terms run beside those of the account that it is part of now. While they run, a later
    cancellation under the old id ends them only. An end of a day before the merge ends no others.
    """
    rest = [*new]
    others_start = account.first_day_of_other_sources(old_account_id)
    for subscription_id, merges in account.merged_traits_of(old_account_id).items():
        periods = account.periods_of(subscription_id)
        theirs = [
            each
            for each in rest
            if each.day < merges.last_day
            or (not each.fields and any(period.covers(each.day) for period in periods))
        ]
        rest = [each for each in rest if each not in theirs]
        counted = [each for each in theirs if each.day < (others_start or date.max)]
        for day, statements in _by_known_day(counted, known_on).items():
            known = statements_of(account.periods_of(subscription_id))
            wanted = replay(_merged([*known, *statements]), base_currency)
            if others_start is not None:
                wanted = end_at(wanted, others_start, None)
            replace(account, known_on=day).replace_merged_terms(subscription_id, wanted, merges)
    merged_on = aliases.merge_day(account.session, account.workspace_id, old_account_id)
    return [each for each in rest if each.cancellation is None or each.day >= merged_on]


def _restate_merged(
    account: AccountSubscriptions, statements: Iterable[DayStatement], base_currency: str
) -> None:
    """Apply what is stated of an account without a price of its own to the one that it got.

    That is the price of the one account that was merged into it, from the merge on.
    """
    merged = account.merged_traits()
    if len(merged) != 1:
        return
    for subscription_id, merges in merged.items():
        since = [each for each in statements if each.day >= merges.last_day]
        known = statements_of(account.periods_of(subscription_id))
        wanted = replay(_merged([*known, *since]), base_currency)
        if since:
            account.replace_merged_terms(subscription_id, wanted, merges)


def withdraw_values(
    session: Session,
    workspace_id: str,
    account_id: str,
    values: Mapping[str, Any],
    *,
    known_on: date,
    base_currency: str,
) -> bool:
    """Take values out of the days that state all of them, as if no event had stated them.

    Return whether there are such days. The account is locked in this transaction.
    """
    account = AccountSubscriptions(session, workspace_id, account_id, known_on)
    stored = load_statements(session, workspace_id, account_id)
    if not stored:
        stored = _with_stored_periods(account, stored)
    wrong = [each for each in stored.values() if each.states(values)]
    if not wrong:
        return False
    changed = [each.without(values) for each in wrong]
    write_statements(session, workspace_id, account_id, changed)
    stored |= {each.day: each for each in changed}
    periods = replay(stored.values(), base_currency)
    account.replace_trait_terms(periods, days=[each.day for each in wrong])
    return True


def _with_stored_periods(
    account: AccountSubscriptions, stored: Mapping[date, DayStatement]
) -> dict[date, DayStatement]:
    """Add and store statements for periods that have none: older ones, or of a merged account."""
    periods = statements_of(account.trait_periods())
    statements = _merged([*periods, *stored.values()])
    if periods:
        write_statements(account.session, account.workspace_id, account.account_id, statements)
    return {each.day: each for each in statements}


def _merged(statements: Iterable[DayStatement]) -> list[DayStatement]:
    by_day: dict[date, DayStatement] = {}
    for each in statements:
        by_day[each.day] = by_day.get(each.day, DayStatement(each.day)).merge(each)
    return [by_day[day] for day in sorted(by_day)]


def _by_known_day(
    statements: Iterable[DayStatement], known_on: date | None
) -> Mapping[date, list[DayStatement]]:
    """Group statements by the day on which they become known."""
    by_day: dict[date, list[DayStatement]] = {}
    for each in statements:
        by_day.setdefault(known_on or each.day, []).append(each)
    return by_day
