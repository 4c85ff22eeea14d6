"""The revenue at risk of accounts, and accounts by it, highest first.

The amount of an account with a churn probability or a high level is stored in its churn risk; that
of an account whose band alone is at risk follows from the MRR of its score; nothing of the others
is at risk. The first two are indexed in descending order, so that no page sorts all accounts.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.accounts.tables import Account
from app.churn.scoring.revenue import (
    MONTHS_PER_YEAR,
    RevenueAtRisk,
    assumed_loss,
    largest_mrr_at_risk,
)
from app.churn.tables import ChurnRisk
from app.core.part_queries import all_rows, has_fewer
from app.core.query_helpers import known_mrr_cents, same_account
from app.core.sql import load_sql
from app.health.tables import KNOWN_MRR_CENTS, HealthScore

SQL = load_sql(
    __file__, known_mrr_cents=known_mrr_cents("x", status="x.details ->> 'price_status'")
)

AccountSelect = Select[*tuple[Any, ...]]
Column = InstrumentedAttribute[Any]
Position = tuple[int, str]
"""The revenue at risk in cents a year and the account id of the last row of a page."""

HIGH = literal_column("'high'", Text)
AT_RISK = literal_column("'at_risk'", Text)
"""Literals, not parameters: the planner proves by them that it may use a partial index."""
OTHER_RISK = ChurnRisk.__table__.alias("other_risk").c
NOT_STORED = ~exists().where(
    same_account(OTHER_RISK, Account),
    or_(OTHER_RISK.probability.is_not(None), OTHER_RISK.level == HIGH),
)
"""No stored amount. NOT EXISTS, not "is null after the join": the planner estimates it well."""
HAS_PROBABILITY = ChurnRisk.probability.is_not(None)
IS_STORED = or_(HAS_PROBABILITY, ChurnRisk.level == HIGH)
BAND_AT_RISK = HealthScore.band == AT_RISK
REVENUE_AT_RISK = cast(
    case(
        (IS_STORED, ChurnRisk.revenue_at_risk_cents),
        (BAND_AT_RISK, assumed_loss(HealthScore.__table__.columns["mrr_cents"])),
        else_=0,
    ),
    BigInteger,
)
"""Cents a year, as ``revenue_at_risk`` computes them."""
REVENUE_AT_LOW, REVENUE_AT_HIGH = (
    cast(func.round(MONTHS_PER_YEAR * ChurnRisk.mrr_cents * bound), BigInteger)
    for bound in (ChurnRisk.probability_low, ChurnRisk.probability_high)
)
"""The same at the bounds of the probability; null without them."""
KNOWN_REVENUE_AT_RISK = case((KNOWN_MRR_CENTS.is_not(None), REVENUE_AT_RISK))
"""As above; null while the MRR is unknown."""
REVENUE_BASIS = case(
    (HAS_PROBABILITY, "probability"), (or_(IS_STORED, BAND_AT_RISK), "assumed"), else_="none"
)


def load_revenue_at_risk(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, RevenueAtRisk]:
    """Return the revenue at risk by account."""
    if not account_ids:
        return {}
    bounds = [
        case((KNOWN_MRR_CENTS.is_not(None), bound)) for bound in (REVENUE_AT_LOW, REVENUE_AT_HIGH)
    ]
    rows = session.execute(
        select(Account.account_id, KNOWN_REVENUE_AT_RISK, REVENUE_BASIS, *bounds)
        .outerjoin(HealthScore, same_account(HealthScore, Account))
        .outerjoin(ChurnRisk, same_account(ChurnRisk, Account))
        .where(Account.workspace_id == workspace_id, Account.account_id.in_(account_ids))
    )
    return {account_id: RevenueAtRisk(*amounts) for account_id, *amounts in rows}


def load_bands(
    session: Session, workspace_id: str, account_id: str, days: Iterable[date]
) -> dict[date, tuple[str, int | None]]:
    """Return band and MRR of the last score of an account on or before each day, as first written.

    Days before the first score are left out.
    """
    values = {"workspace_id": workspace_id, "account_id": account_id, "days": list(days)}
    rows = session.execute(SQL.bands, values)
    return {row.day: (row.band, row.mrr_cents) for row in rows}


def parts_by_revenue_at_risk(
    query: AccountSelect, *, after: Position | None, limit: int
) -> list[CTE]:
    """Return the parts of a page after a position, of accounts joined with scores and risks.

    ``query`` selects the amount as ``sort_value``. Each part has the first rows of its own, highest
    amount first. Accounts at risk by their band alone are read only down to the smallest stored
    amount: where nearly all amounts are stored, the scan for the next account without one is long.
    """
    order = (ChurnRisk.revenue_at_risk_cents, ChurnRisk.account_id)
    stored = _descending("stored", query.where(IS_STORED), order, after, limit)
    by_band = _by_band(query, after, stored, limit)
    amounts = [*stored, *by_band]
    rest = query.where(NOT_STORED, func.coalesce(HealthScore.band, "unknown") != AT_RISK)
    rest = rest.where(has_fewer(amounts, limit, lambda part: part.c.sort_value > 0))
    key = Account.account_id
    if after is not None and after[0] <= 0:
        rest = rest.where(key > after[1] if after[0] == 0 else false())
    return [*amounts, rest.order_by(key).limit(limit).cte("not_at_risk")]


def _by_band(
    query: AccountSelect, after: Position | None, stored: Sequence[CTE], limit: int
) -> list[CTE]:
    """Read by MRR; a position in cents a year may lie between the amounts of two MRRs."""
    mrr, key = HealthScore.mrr_cents, HealthScore.account_id
    rest = query.where(NOT_STORED, BAND_AT_RISK, mrr >= _least_mrr(stored, limit))
    if after is not None:
        largest = largest_mrr_at_risk(after[0])
        if assumed_loss(largest) == after[0]:
            after = (largest, after[1])
        else:
            rest, after = rest.where(mrr <= largest), None
    return _descending("by_band", rest, (mrr, key), after, limit)


def _least_mrr(stored: Sequence[CTE], limit: int) -> ColumnElement[int]:
    """Return the least MRR whose assumed amount may be on the page, if that is full already."""
    least = func.min(all_rows(stored).c.sort_value)
    is_full = and_(func.count() >= limit, least > 0)
    return select(case((is_full, largest_mrr_at_risk(least - 1) + 1), else_=0)).scalar_subquery()


def _descending(
    name: str,
    query: AccountSelect,
    order: tuple[Column, Column],
    after: Position | None,
    limit: int,
) -> list[CTE]:
    """Read after a position: other accounts of the same amount, then smaller amounts."""
    amount, key = order
    ordered = query.order_by(amount.desc(), key).limit(limit)
    if after is None:
        return [ordered.cte(name)]
    same = query.where(amount == after[0], key > after[1]).order_by(key).limit(limit)
    return [same.cte(f"{name}_same"), ordered.where(amount < after[0]).cte(name)]
