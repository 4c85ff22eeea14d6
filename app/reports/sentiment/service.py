"""The report of disagreements between the sentiment of owners and the bands of scores."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.collaboration.agreement import Agreement, compare
from app.reports.sentiment import queries
from app.reports.sentiment.schemas import SentimentDisagreement, SentimentReport
from app.reports.sentiment.verdicts import DecidedDisagreement, count_verdicts


def load_report(
    session: Session,
    workspace_id: str,
    *,
    horizon: int,
    owner: str | None,
    limit: int,
    now: datetime,
) -> SentimentReport:
    """List the disagreements of now, and count who was right in those that are decided."""
    decided = queries.load_decided(session, workspace_id, horizon=horizon, today=now.date())
    statements = (DecidedDisagreement(**row) for row in decided)
    verdicts = count_verdicts(statements, horizon)
    rows = queries.list_current(session, workspace_id, owner=owner, limit=limit)
    return SentimentReport(
        horizon_days=horizon,
        optimistic=verdicts[Agreement.OPTIMISTIC],
        pessimistic=verdicts[Agreement.PESSIMISTIC],
        disagreements=[
            SentimentDisagreement.from_row(
                row, direction=compare(row.value, row.band), age_days=(now - row.at).days
            )
            for row in rows
        ],
    )
