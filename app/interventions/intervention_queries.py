from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, filter_if_given, get_row
from app.health.scoring.assess import HealthStatus
from app.interventions.outcome import AccountSnapshot
from app.interventions.states import InterventionState
from app.interventions.tables import Assignment, Intervention

PAGE_SIZE = 200

# How accounts stood on days, or at most six days before.
SNAPSHOTS = text("""
SELECT w.account_id, w.day, h.as_of, h.status, h.score, h.measures
FROM unnest(CAST(:account_ids AS text[]), CAST(:days AS date[])) AS w (account_id, day)
CROSS JOIN LATERAL (
    SELECT x.as_of, x.status, x.score, x.details -> 'measures' AS measures
    FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = w.account_id
      AND x.as_of <= w.day AND x.as_of > w.day - 7
    ORDER BY x.as_of DESC, x.restatement DESC, x.change DESC LIMIT 1
) AS h
""")


def get_intervention(
    session: Session, workspace_id: str, intervention_id: str, *, lock: bool = False
) -> Intervention:
    return get_row(session, Intervention, (workspace_id, intervention_id), lock=lock)


def list_interventions(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    state: InterventionState | None,
    account_id: str | None,
    assignee: str | None,
    playbook: str | None,
) -> RowPage[Intervention]:
    """Newest first; what has lapsed only where it is asked for."""
    rows = select(Intervention).where(Intervention.workspace_id == workspace_id)
    rows = rows.where(
        Intervention.state == state if state else Intervention.state != InterventionState.LAPSED
    )
    rows = filter_if_given(rows, account_id=account_id, assignee=assignee, playbook=playbook)
    place = (Intervention.created_at, Intervention.id)
    return fetch_page(session, rows, *place, paging=paging, newest=True)


def claim_due_interventions(session: Session, *, today: date) -> Sequence[Intervention]:
    """Lock those of which an outcome is due, of all workspaces; skip another worker's."""
    return session.scalars(
        select(Intervention)
        .where(Intervention.outcome_due_on < today)
        .order_by(Intervention.outcome_due_on, Intervention.id)
        .limit(PAGE_SIZE)
        .with_for_update(skip_locked=True)
    ).all()


def claim_due_assignments(session: Session, *, today: date) -> Sequence[Assignment]:
    """Lock assignments whose horizon has passed, of all workspaces."""
    return session.scalars(
        select(Assignment)
        .where(Assignment.success.is_(None), Assignment.due_on < today)
        .order_by(Assignment.due_on)
        .limit(PAGE_SIZE)
        .with_for_update(skip_locked=True)
    ).all()


def load_snapshots(
    session: Session, workspace_id: str, asked: Sequence[tuple[str, date]]
) -> dict[tuple[str, date], AccountSnapshot]:
    """Return how accounts stood on days, as far as that is known."""
    accounts, days = zip(*asked, strict=True) if asked else ((), ())
    values = {"workspace_id": workspace_id, "account_ids": list(accounts), "days": list(days)}
    return {
        (row.account_id, row.day): AccountSnapshot(
            row.as_of, HealthStatus(row.status), row.score, _scores(row)
        )
        for row in session.execute(SNAPSHOTS, values)
    }


def _scores(row: Row[Any]) -> dict[str, float]:
    return {each["name"]: each["score"] for each in row.measures or [] if each["score"] is not None}
