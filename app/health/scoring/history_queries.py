"""The scores of past days as lines: one value for each day, as last restated."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Row, case, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.orm import Session

from app.health.tables import HealthHistory


def load_recent_scores(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, since: date
) -> dict[str, list[tuple[date, float | None]]]:
    """Return the last score of each day from ``since`` on by account, as last restated.

    One row for each account: thousands of small rows would take longer to read than to find.
    """
    newest = (HealthHistory.restatement.desc(), HealthHistory.change.desc())
    day = (HealthHistory.account_id, HealthHistory.as_of)
    of_days = (
        select(*day, HealthHistory.score)
        .where(
            HealthHistory.workspace_id == workspace_id,
            HealthHistory.account_id.in_(account_ids),
            HealthHistory.as_of >= since,
        )
        .ext(distinct_on(*day))
        .order_by(*day, *newest)
        .subquery()
    )
    account_id, as_of, score = of_days.c
    columns = (func.array_agg(aggregate_order_by(each, as_of)) for each in (as_of, score))
    rows = session.execute(select(account_id, *columns).group_by(account_id))
    found = {key: list(zip(days, scores, strict=True)) for key, days, scores in rows}
    return {key: found.get(key, []) for key in account_ids}


def load_score_days(
    session: Session, workspace_id: str, account_id: str, *, since: date
) -> Sequence[Row[date, float | None, int | None, str | None, str | None, str | None]]:
    """Return the last row of each day of an account with its price, plan and scorecard version."""
    details = HealthHistory.details
    return session.execute(
        select(
            HealthHistory.as_of,
            HealthHistory.score,
            case((details["price_status"].astext != "no_rate", HealthHistory.mrr_cents)),
            details["inputs"]["plan"].astext.label("plan"),
            details["scorecard_version"].astext.label("version"),
            details["currency"].astext.label("currency"),
        )
        .where(
            HealthHistory.workspace_id == workspace_id,
            HealthHistory.account_id == account_id,
            HealthHistory.as_of >= since,
        )
        .ext(distinct_on(HealthHistory.as_of))
        .order_by(
            HealthHistory.as_of, HealthHistory.restatement.desc(), HealthHistory.change.desc()
        )
    ).all()
