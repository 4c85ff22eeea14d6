"""Queries of restatements and of the history rows that they add."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page
from app.health.scoring import statements
from app.health.scoring.assess import Assessment
from app.health.tables import HealthHistory, Restatement


def get_newest_number(session: Session, workspace_id: str) -> int:
    """Return the number of the newest restatement, or 0 if there is none."""
    newest = select(func.max(Restatement.number)).where(Restatement.workspace_id == workspace_id)
    return session.scalar(newest) or 0


def insert_restatement(
    session: Session,
    workspace_id: str,
    number: int,
    **columns: Any,  # noqa: ANN401 - columns of the table
) -> Restatement:
    row = Restatement(workspace_id=workspace_id, number=number, **columns)
    session.add(row)
    session.flush()
    return row


def list_restatements(session: Session, workspace_id: str, paging: Paging) -> RowPage[Restatement]:
    """Return a page of restatements, newest first."""
    rows = select(Restatement).where(Restatement.workspace_id == workspace_id)
    return fetch_page(session, rows, Restatement.number, paging=paging, descending=True)


def delete_restated_rows(
    session: Session,
    workspace_id: str,
    number: int,
    account_ids: Sequence[str],
    *,
    since: date,
    until: date,
) -> None:
    """Delete rows that a page wrote before it failed to record its progress."""
    session.execute(
        delete(HealthHistory).where(
            HealthHistory.workspace_id == workspace_id,
            HealthHistory.account_id.in_(account_ids),
            HealthHistory.as_of.between(since, until),
            HealthHistory.restatement == number,
        )
    )


def insert_restated_rows(
    session: Session,
    workspace_id: str,
    number: int,
    assessments: Sequence[Assessment],
    *,
    as_of: date,
    now: datetime,
) -> None:
    """Insert one row per account of a day, beside the existing rows.

    Uses COPY: writing is a third of the work of a restatement, with INSERT it was a half.
    """
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statements.COPY_HISTORY) as rows:
        for each in assessments:
            key = (workspace_id, each.account_id, as_of, number, 0)
            values = (each.score, each.band, each.status, each.coverage, each.mrr_cents)
            rows.write_row((*key, *values, orjson.dumps(each.details).decode(), now))
