from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from app.accounts.tables import Subscription
from app.churn.model.horizon import USUAL_GAP_QUANTILE, Horizon, HorizonBasis, choose_horizon
from app.churn.training import observation_statements
from app.features.statements import PLAN_FOR_MANY_ROWS
from app.features.table_queries import AccountDay
from app.usage.tables import FirstUse


def load_horizon(
    session: Session, workspace_id: str, *, as_of: date, days: int | None = None
) -> Horizon:
    """Say how far ahead is looked: a subscription's end is churn where there is one at all."""
    pays = session.scalar(
        select(
            exists().where(
                Subscription.workspace_id == workspace_id,
                Subscription.mrr_cents > 0,
                Subscription.known_on <= as_of,
            )
        )
    )
    gap = None
    if not pays and days is None:
        values = {"workspace_id": workspace_id, "as_of": as_of, "share": USUAL_GAP_QUANTILE}
        gap = session.scalar(observation_statements.USUAL_GAP, values)
    return choose_horizon(pays=bool(pays), usual_gap_days=gap, days=days)


def find_first_day(session: Session, workspace_id: str, basis: HorizonBasis) -> date | None:
    """Return the day of the first payment or use that there is."""
    if basis is HorizonBasis.SUBSCRIPTION:
        of_workspace = Subscription.workspace_id == workspace_id
        return session.scalar(select(func.min(Subscription.starts_on)).where(of_workspace))
    return session.scalar(
        select(func.min(FirstUse.day)).where(FirstUse.workspace_id == workspace_id)
    )


def list_active_accounts(
    session: Session, workspace_id: str, *, day: date, horizon: Horizon, short_only: bool = False
) -> Sequence[str]:
    """List the accounts that can churn after a day, as known then, in key order.

    ``short_only``: without those whose contract runs for months.
    """
    values = {"workspace_id": workspace_id, "day": day}
    if horizon.basis is HorizonBasis.SUBSCRIPTION:
        return session.scalars(
            observation_statements.PAYING_ACCOUNTS, {**values, "short_only": short_only}
        ).all()
    after = day - timedelta(days=horizon.days)
    return session.scalars(observation_statements.USING_ACCOUNTS, {**values, "after": after}).all()


def list_days_before_renewals(
    session: Session, workspace_id: str, *, leads: Sequence[int], since: date, until: date
) -> list[AccountDay]:
    """List accounts with long contracts so many days before each renewal, as known then."""
    values = {
        "workspace_id": workspace_id,
        "leads": list(leads),
        "since": since,
        "until": until,
    }
    return [
        (row.account_id, row.day)
        for row in session.execute(observation_statements.BEFORE_RENEWALS, values)
    ]


def load_retained(
    session: Session, workspace_id: str, moments: Sequence[AccountDay], *, horizon: Horizon
) -> NDArray[np.bool_]:
    """Tell of each account whether it is still there when its horizon has passed, as known then."""
    if not moments:
        return np.zeros(0, dtype=bool)
    session.execute(PLAN_FOR_MANY_ROWS)
    days = [day + timedelta(days=horizon.days) for _, day in moments]
    values = {
        "workspace_id": workspace_id,
        "account_ids": [account_id for account_id, _ in moments],
        "days": days,
    }
    if horizon.basis is HorizonBasis.SUBSCRIPTION:
        rows = session.execute(observation_statements.PAYS_ON_DAYS, values)
    else:
        bounds = {"within": horizon.days, "first_day": min(days), "last_day": max(days)}
        rows = session.execute(observation_statements.USED_BEFORE_DAYS, {**values, **bounds})
    return np.array([stays for _, stays in rows], dtype=bool)
