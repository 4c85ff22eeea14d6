"""The revenue at risk of accounts, and accounts by it, highest first.

The amount of an account with a churn probability or a high level is stored in its churn risk; that
of an account whose band alone is at risk follows from the MRR of its score; nothing of the others
is at risk. The first two are indexed in descending order, so that no page sorts all accounts.
"""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Row,
    Select,
    Text,
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
from app.core.query_helpers import known_mrr_cents, same_account
from app.core.sql import load_sql
from app.health.tables import KNOWN_MRR_CENTS, HealthScore

SQL = load_sql(
    __file__, known_mrr_cents=known_mrr_cents("x", status="x.details ->> 'price_status'")
)

AccountSelect = Select[*tuple[Any, ...]]
Rows = list[Row[*tuple[Any, ...]]]
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


def list_by_revenue_at_risk(
    session: Session, query: AccountSelect, *, after: Position | None, limit: int
) -> Rows:
    """Return the rows after a position from accounts joined with scores and risks.

    ``query`` selects the amount as ``sort_value``.
    Accounts at risk by their band alone are read only down to the smallest stored amount: where
    nearly all amounts are stored, the scan for the next account without one is long.
    """
    order = (ChurnRisk.revenue_at_risk_cents, ChurnRisk.account_id)
    rows = _read_descending(session, query.where(IS_STORED), order, after, limit)
    least = rows[-1].sort_value if len(rows) == limit else None
    rows = _first(rows + _by_band(session, query, after, least, limit), limit)
    if len(rows) < limit or rows[-1].sort_value <= 0:
        rows = _first(rows + _not_at_risk(session, query, after, limit), limit)
    return rows


def _first(rows: Rows, limit: int) -> Rows:
    return sorted(rows, key=lambda row: (-row.sort_value, row.account_id))[:limit]


def _by_band(
    session: Session, query: AccountSelect, after: Position | None, least: int | None, limit: int
) -> Rows:
    """Read by MRR; a position in cents a year may lie between the amounts of two MRRs."""
    mrr, key = HealthScore.mrr_cents, HealthScore.account_id
    rest = query.where(NOT_STORED, BAND_AT_RISK)
    if least is not None:
        rest = rest.where(mrr > largest_mrr_at_risk(least - 1)[0])
    if after is not None:
        largest, is_exact = largest_mrr_at_risk(after[0])
        if is_exact:
            after = (largest, after[1])
        else:
            rest, after = rest.where(mrr <= largest), None
    return _read_descending(session, rest, (mrr, key), after, limit)


def _not_at_risk(
    session: Session, query: AccountSelect, after: Position | None, limit: int
) -> Rows:
    key = Account.account_id
    rest = query.where(NOT_STORED, func.coalesce(HealthScore.band, "unknown") != AT_RISK)
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
