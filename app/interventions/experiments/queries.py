from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, filter_if_given, get_row
from app.interventions.experiments import statements
from app.interventions.tables import Assignment, Experiment

RUNNING = "running"


def get_experiment(
    session: Session, workspace_id: str, experiment_id: str, *, lock: bool = False
) -> Experiment:
    return get_row(session, Experiment, (workspace_id, experiment_id), lock=lock)


def load_experiments(
    session: Session, workspace_id: str, *, state: str | None = None
) -> Sequence[Experiment]:
    """Newest first."""
    rows = filter_if_given(
        select(Experiment).where(Experiment.workspace_id == workspace_id), state=state
    )
    return session.scalars(rows.order_by(Experiment.created_at.desc(), Experiment.id.desc())).all()


def list_experiments(
    session: Session, workspace_id: str, paging: Paging, *, state: str | None
) -> RowPage[Experiment]:
    """Newest first."""
    rows = filter_if_given(
        select(Experiment).where(Experiment.workspace_id == workspace_id), state=state
    )
    return fetch_page(
        session, rows, Experiment.created_at, Experiment.id, paging=paging, newest=True
    )


def load_arms(
    session: Session,
    workspace_id: str,
    experiment_ids: Collection[str],
    account_ids: Collection[str],
) -> dict[tuple[str, str], str]:
    """Return the arms of accounts, by experiment and account."""
    rows = session.execute(
        select(Assignment.experiment_id, Assignment.account_id, Assignment.arm).where(
            Assignment.workspace_id == workspace_id,
            Assignment.account_id.in_(account_ids),
            Assignment.experiment_id.in_(experiment_ids),
        )
    )
    return {(experiment_id, account_id): arm for experiment_id, account_id, arm in rows}


def insert_assignments(
    session: Session, workspace_id: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Fix arms, in key order; one that is fixed already stays."""
    if rows:
        ordered = sorted(rows, key=lambda row: (row["account_id"], row["experiment_id"]))
        named = [{"workspace_id": workspace_id, **row} for row in ordered]
        session.execute(insert(Assignment).on_conflict_do_nothing(), named)


def load_tally(
    session: Session, workspace_id: str, experiment_id: str
) -> dict[str, dict[str, int]]:
    """Count families by arm: assigned, decided, and decided well."""
    values = {"workspace_id": workspace_id, "experiment_id": experiment_id}
    return {
        row.arm: {"assigned": row.assigned, "trials": row.trials, "successes": row.successes}
        for row in session.execute(statements.TALLY, values)
    }


def list_contaminated(
    session: Session, workspace_id: str, experiment_id: str, *, limit: int
) -> Sequence[Row[Any]]:
    """List accounts that got something else than their arm says: account, arm, why."""
    values = {"workspace_id": workspace_id, "experiment_id": experiment_id, "limit": limit}
    return session.execute(statements.CONTAMINATED, values).all()
