"""List accounts by revenue at risk, highest first, without sorting all of them for each page.

With a churn probability, the amount is stored in the churn risk; without one, it is 12 x the MRR of
the score. Both are indexed in descending order, and a page is merged from both.
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
"""The revenue at risk in cents a year and the account id of the last row of a page."""

MONTHS_PER_YEAR = 12
OTHER_RISK = aliased(ChurnRisk)
WITHOUT_PROBABILITY = ~exists().where(
    same_account(OTHER_RISK, Account), OTHER_RISK.probability.is_not(None)
)
"""No churn probability. NOT EXISTS, not "is null after the join": the planner estimates it well."""


def list_by_revenue_at_risk(
    session: Session, query: AccountSelect, *, after: Position | None, limit: int
) -> Rows:
    """Return the rows after a position from accounts joined with scores and risks.

    ``query`` selects the amount as ``sort_value``.
    Accounts without a probability are read only down to the smallest amount of those with one:
    where nearly all have one, the scan for the next one without is long. An account without a score
    pays nothing.
    """
    has_probability = query.where(ChurnRisk.probability.is_not(None))
    order = (ChurnRisk.revenue_at_risk_cents, ChurnRisk.account_id)
    rows = _read_descending(session, has_probability, order, after, limit)
    least = rows[-1].sort_value if len(rows) == limit else None
    rows = _first(rows + _without_probability(session, query, after, least, limit), limit)
    if len(rows) < limit or rows[-1].sort_value <= 0:
        rows = _first(rows + _unscored(session, query, after, limit), limit)
    return rows


def _first(rows: Rows, limit: int) -> Rows:
    return sorted(rows, key=lambda row: (-row.sort_value, row.account_id))[:limit]


def _without_probability(
    session: Session, query: AccountSelect, after: Position | None, least: int | None, limit: int
) -> Rows:
    """Read by MRR; a position in cents a year may lie between 12 x two successive MRRs."""
    mrr, key = HealthScore.mrr_cents, HealthScore.account_id
    rest = query.where(WITHOUT_PROBABILITY, key.is_not(None))
    if least is not None:
        rest = rest.where(mrr >= -(-least // MONTHS_PER_YEAR))
    if after is not None:
        months, remainder = divmod(after[0], MONTHS_PER_YEAR)
        if remainder:
            rest, after = rest.where(mrr <= months), None
        else:
            after = (months, after[1])
    return _read_descending(session, rest, (mrr, key), after, limit)


def _unscored(session: Session, query: AccountSelect, after: Position | None, limit: int) -> Rows:
    key = Account.account_id
    rest = query.where(WITHOUT_PROBABILITY, HealthScore.account_id.is_(None))
    if after is not None and after[0] <= 0:
        rest = rest.where(key > after[1] if after[0] == 0 else false())
    return _read(session, rest.order_by(key), limit)


def _read_descending(
    session: Session,
    query: AccountSelect,
    order: tuple[Column, Column],
    after: Position | None,
    limit: int,
) -> Rows:
    """Read after a position: first other accounts of the same amount, then smaller amounts."""
    amount, key = order
    less, rows = query, Rows()
    if after is not None:
        same = query.where(amount == after[0], key > after[1])
        rows, less = _read(session, same.order_by(key), limit), query.where(amount < after[0])
    if len(rows) < limit:
        rows += _read(session, less.order_by(amount.desc(), key), limit - len(rows))
    return rows


def _read(session: Session, query: AccountSelect, limit: int) -> Rows:
    return list(session.execute(query.limit(limit)).all())
