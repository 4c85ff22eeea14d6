"""Restatements, and the history rows that they add."""

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
    """Return 0 where there is none."""
    newest = select(func.max(Restatement.number)).where(Restatement.workspace_id == workspace_id)
    return session.scalar(newest) or 0


def insert_restatement(
    session: Session,
    workspace_id: str,
    number: int,
    **columns: Any,  # noqa: ANN401 - of the table
) -> Restatement:
    row = Restatement(workspace_id=workspace_id, number=number, **columns)
    session.add(row)
    session.flush()
    return row


def list_restatements(session: Session, workspace_id: str, paging: Paging) -> RowPage[Restatement]:
    """Newest first."""
    rows = select(Restatement).where(Restatement.workspace_id == workspace_id)
    return fetch_page(session, rows, Restatement.number, paging=paging, newest=True)


def delete_restated_rows(
    session: Session,
    workspace_id: str,
    number: int,
    account_ids: Sequence[str],
    *,
    since: date,
    until: date,
) -> None:
    """Forget what a page wrote that was not noted as done."""
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
    """Write one row for each account of a day, beside those that are there.

    They are copied in: of a restatement this is a third of the work, and by a statement a half.
    """
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statements.COPY_HISTORY) as rows:
        for each in assessments:
            key = (workspace_id, each.account_id, as_of, number, 0)
            said = (each.score, each.band, each.status, each.coverage, each.mrr_cents)
            rows.write_row((*key, *said, orjson.dumps(each.details).decode(), now))
