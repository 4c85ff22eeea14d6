"""Renewals: for how long a contract that has ended counts as running.

Reports, scores, churn risk, goals and ``GET /accounts/{account_id}/mrr`` use this one rule.
"""

from sqlalchemy.orm import Session

from app.core.months import RENEWAL_GRACE_DAYS
from app.core.sql import load_sql

SQL = load_sql(__file__)


ENDED_LATELY = "p.ends_on BETWEEN CAST(:as_of AS date) - CAST(:grace_days AS int) AND :as_of"
"""Which periods a renewal can hold on the day ``:as_of``."""


def grace_days(session: Session) -> int:
    """Return within how many days of its end a contract is renewed, by the service's setting."""
    days: int = session.info.get("renewal_grace_days", RENEWAL_GRACE_DAYS)
    return days


def renewals(
    *,
    key: str = "account_id",
    periods: str = "period",
    later: str = "period",
    ends_on: str = "ends_on",
    is_wanted: str = "true",
) -> str:
    """Return CTEs that end with ``renewal``: one row for each period that is held.

    Its columns are ``key``, ``subscription_id``, ``starts_on`` and ``held_until``. ``periods`` and
    ``later`` name CTEs of the statement with one row for each period: those whose ends count, and
    those that may renew them. The statement has the parameter ``:grace_days``.
    """
    return SQL.fill(
        "renewals", key=key, periods=periods, later=later, ends_on=ends_on, is_wanted=is_wanted
    )


ACCOUNT_MRR = SQL.compose("account_mrr", renewals_of_account=renewals())
