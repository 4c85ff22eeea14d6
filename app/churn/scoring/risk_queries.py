from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.churn.scoring.risk import AccountRisk
from app.churn.tables import ChurnRisk, ChurnRiskHistory, ChurnScoringContext
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page
from app.core.sql import load_sql

SQL = load_sql(__file__)
MIN_MOVE = 0.01
"""A smaller move of the risk is not written to the history."""


def list_outdated(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    *,
    day: date,
    version: int | None,
) -> Sequence[str]:
    """List the accounts without a risk as of a day by the active model, in key order."""
    values = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "day": day,
        "version": version,
    }
    return session.scalars(SQL.list_outdated, values).all()


def upsert_risks(
    session: Session, workspace_id: str, risks: Sequence[AccountRisk], *, day: date, now: datetime
) -> None:
    """Write the newest risks, and a history row for each risk that moved."""
    rows = orjson.dumps(risks).decode()
    values = {"workspace_id": workspace_id, "day": day, "now": now, "rows": rows}
    session.execute(SQL.upsert_risks, values)
    session.execute(SQL.write_history, {**values, "least": MIN_MOVE})


def mark_all_outdated(session: Session, workspace_id: str) -> None:
    """Have every risk of a workspace computed again, because history was imported."""
    in_workspace = ChurnRisk.workspace_id == workspace_id
    session.execute(update(ChurnRisk).where(in_workspace).values(as_of=None))


def find_scoring_context(session: Session, workspace_id: str) -> ChurnScoringContext | None:
    return session.get(ChurnScoringContext, workspace_id)


def upsert_scoring_context(
    session: Session,
    workspace_id: str,
    **columns: Any,  # noqa: ANN401 - of the table
) -> ChurnScoringContext:
    """Replace the values that a workspace's accounts are compared with."""
    row = insert(ChurnScoringContext).values(workspace_id=workspace_id, **columns)
    upsert = row.on_conflict_do_update(index_elements=["workspace_id"], set_=columns)
    return session.scalars(
        upsert.returning(ChurnScoringContext).execution_options(populate_existing=True)
    ).one()


def load_risks(
    session: Session, workspace_id: str, account_ids: Sequence[str]
) -> dict[str, ChurnRisk]:
    """Return the newest risks by account."""
    rows = select(ChurnRisk).where(
        ChurnRisk.workspace_id == workspace_id, ChurnRisk.account_id.in_(account_ids)
    )
    return {row.account_id: row for row in session.scalars(rows)}


def load_rank(session: Session, workspace_id: str, risk: float) -> tuple[int, int]:
    """Return the rank of a risk in the workspace, 1 the highest, and how many risks there are."""
    above = func.count().filter(ChurnRisk.risk > risk)
    query = select(above, func.count(ChurnRisk.risk)).where(ChurnRisk.workspace_id == workspace_id)
    higher, ranked = session.execute(query).one()
    return higher + 1, ranked


def list_history(
    session: Session,
    workspace_id: str,
    account_id: str,
    paging: Paging,
    *,
    since: date,
    until: date,
) -> RowPage[ChurnRiskHistory]:
    """List the history rows of an account, oldest first."""
    rows = select(ChurnRiskHistory).where(
        ChurnRiskHistory.workspace_id == workspace_id,
        ChurnRiskHistory.account_id == account_id,
        ChurnRiskHistory.as_of.between(since, until),
    )
    return fetch_page(session, rows, ChurnRiskHistory.as_of, paging=paging)
