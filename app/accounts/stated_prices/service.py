"""Store what events state about a price, and bring the account's periods in line with it."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

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
) -> date | None:
    """Apply what events state about an account that is locked in this transaction.

    ``known_on``: None for history, which is known on its own day. Return the first day on which
    terms from another source are in force: from then on statements change nothing.
    """
    account = AccountSubscriptions(session, workspace_id, account_id, known_on or date.min)
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
        AccountSubscriptions(session, workspace_id, account_id, day).replace_trait_terms(
            periods, since=min(each.day for each in statements)
        )
    return others_start


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
    account.replace_trait_terms(periods, since=min(each.day for each in wrong))
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
