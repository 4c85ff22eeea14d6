from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.alerts import statements
from app.health.tables import HealthScore


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """The score of an account at the end of a day, as it was first written.

    ``paid_until``: for a churned account the day since which it pays nothing.
    """

    account_id: str
    as_of: date
    status: str
    score: float | None
    mrr_cents: int
    details: Mapping[str, Any]
    paid_until: date | None = None


def sample_accounts(
    session: Session, workspace_id: str, *, since: date, until: date, limit: int
) -> list[str]:
    """Sample accounts: those that churned in the period, then others by a hash of their ids.

    Return them in key order.
    """
    values = {"workspace_id": workspace_id, "since": since, "until": until, "limit": limit}
    return sorted(session.scalars(statements.SAMPLE_ACCOUNTS, values))


def count_accounts(session: Session, workspace_id: str) -> int:
    number = select(func.count()).where(HealthScore.workspace_id == workspace_id)
    return session.scalar(number) or 0


def load_history_days(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    *,
    since: date,
    until: date,
) -> Sequence[HistoryDay]:
    """Return rows of history in the order of days, without the inputs of the scores."""
    values = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "since": since,
        "until": until,
    }
    return [HistoryDay(*row) for row in session.execute(statements.HISTORY_DAYS, values)]
