"""Accounts in the order of revenue at risk, the most first, without sorting all for each page.

With a probability the amount is in the churn risk, without one it is the MRR of the score: each
kind has an index in its order, and a page is merged of both.
"""

from typing import Any

from sqlalchemy import Row, Select, exists, false
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.accounts.tables import Account
from app.churn.tables import ChurnRisk
from app.core.query_helpers import same_account
from app.health.tables import HealthScore

AccountSelect = Select[*tuple[Any, ...]]
Rows = list[Row[*tuple[Any, ...]]]
Column = InstrumentedAttribute[Any]
Position = tuple[int, str]
"""Cents a year, and the id of an account."""

MONTHS_PER_YEAR = 12
WITH_PROBABILITY = ChurnRisk.probability.is_not(None)
OTHER_RISK = aliased(ChurnRisk)
WITHOUT_PROBABILITY = ~exists().where(
    same_account(OTHER_RISK, Account), OTHER_RISK.probability.is_not(None)
)
"""Said so, and not as "null after the join", for the planner guesses well how many these are."""


def list_by_revenue_at_risk(
    session: Session, found: AccountSelect, *, after: Position | None, limit: int
) -> Rows:
    """Take the rows after a spot from accounts joined with scores and risks.

    Those without a probability are read down to the least amount of those with one, no further:
    where nearly all have one, it is a long way to the next without. Who has no score pays nothing.
    """
    rows = _claimed(session, found, after, limit)
    least = rows[-1].at_stake_cents if len(rows) == limit else None
    rows = _first(rows + _unclaimed(session, found, after, least, limit), limit)
    if len(rows) < limit or rows[-1].at_stake_cents <= 0:
        rows = _first(rows + _unscored(session, found, after, limit), limit)
    return rows


def _first(rows: Rows, limit: int) -> Rows:
    return sorted(rows, key=lambda row: (-row.at_stake_cents, row.account_id))[:limit]


def _claimed(session: Session, found: AccountSelect, after: Position | None, limit: int) -> Rows:
    amount = (ChurnRisk.revenue_at_risk_cents, ChurnRisk.account_id)
    return _down(session, found.where(WITH_PROBABILITY), amount, after, limit)


def _unclaimed(
    session: Session, found: AccountSelect, after: Position | None, least: int | None, limit: int
) -> Rows:
    months, key = HealthScore.mrr_cents, HealthScore.account_id
    rest = found.where(WITHOUT_PROBABILITY, key.is_not(None))
    if least is not None:
        rest = rest.where(months >= -(-least // MONTHS_PER_YEAR))
    if after is not None:
        whole, part = divmod(after[0], MONTHS_PER_YEAR)
        rest, after = (rest.where(months <= whole), None) if part else (rest, (whole, after[1]))
    return _down(session, rest, (months, key), after, limit)


def _unscored(session: Session, found: AccountSelect, after: Position | None, limit: int) -> Rows:
    key = Account.account_id
    rest = found.where(WITHOUT_PROBABILITY, HealthScore.account_id.is_(None))
    if after is not None and after[0] <= 0:
        rest = rest.where(key > after[1] if after[0] == 0 else false())
    return _read(session, rest.order_by(key), limit)


def _down(
    session: Session,
    found: AccountSelect,
    order: tuple[Column, Column],
    after: Position | None,
    limit: int,
) -> Rows:
    """Read on from a spot: first what has the same amount, for many may, then what has less."""
    amount, key = order
    below, rows = found, Rows()
    if after is not None:
        same = found.where(amount == after[0], key > after[1])
        rows, below = _read(session, same.order_by(key), limit), found.where(amount < after[0])
    if len(rows) < limit:
        rows += _read(session, below.order_by(amount.desc(), key), limit - len(rows))
    return rows


def _read(session: Session, found: AccountSelect, limit: int) -> Rows:
    return list(session.execute(found.limit(limit)).all())
