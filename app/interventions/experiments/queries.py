from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.hierarchy import MOST_LEVELS
from app.accounts.renewals import grace_days
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, filter_if_given, get_row, keyset
from app.core.sql import load_sql
from app.interventions.experiments.assignment import FamilyArm
from app.interventions.queries import may_renew
from app.interventions.tables import Assignment, Experiment

SQL = load_sql(__file__)
RUNNING, STOPPED, ROLLED_OUT = "running", "stopped", "rolled_out"
PAGE_SIZE = 200
NEWEST = (Experiment.created_at, Experiment.id)


def get_experiment(
    session: Session, workspace_id: str, experiment_id: str, *, lock: bool = False
) -> Experiment:
    return get_row(session, Experiment, (workspace_id, experiment_id), lock=lock)


def load_experiments(
    session: Session, workspace_id: str, *, state: str | None = None
) -> Sequence[Experiment]:
    """Return all experiments, newest first."""
    rows = keyset(_select(workspace_id, state), *NEWEST, after=None, limit=None, descending=True)
    return session.scalars(rows).all()


def list_experiments(
    session: Session, workspace_id: str, paging: Paging, *, state: str | None
) -> RowPage[Experiment]:
    """List experiments, newest first."""
    rows = _select(workspace_id, state)
    return fetch_page(session, rows, *NEWEST, paging=paging, descending=True)


def _select(workspace_id: str, state: str | None) -> Select[Experiment]:
    rows = select(Experiment).where(Experiment.workspace_id == workspace_id)
    return filter_if_given(rows, state=state)


def load_arms(
    session: Session,
    workspace_id: str,
    experiment_ids: Collection[str],
    account_ids: Collection[str],
) -> dict[tuple[str, str], str]:
    """Return the arms of accounts, by experiment and account; of a merged account the first arm."""
    rows = (
        select(Assignment.experiment_id, Assignment.account_id, Assignment.arm)
        .where(
            Assignment.workspace_id == workspace_id,
            Assignment.account_id.in_(account_ids),
            Assignment.experiment_id.in_(experiment_ids),
        )
        .order_by(Assignment.assigned_on.desc(), Assignment.merge_id.desc())
    )
    return {(each.experiment_id, each.account_id): each.arm for each in session.execute(rows)}


def load_family_arms(
    session: Session,
    workspace_id: str,
    experiment_ids: Collection[str],
    root_ids: Collection[str],
) -> dict[tuple[str, str], FamilyArm]:
    """Return the arms that families have already, by experiment and root account.

    A family is in the arm of the account that was assigned first, whatever was renamed, merged or
    moved since.
    """
    values = {
        "workspace_id": workspace_id,
        "experiment_ids": list(experiment_ids),
        "root_ids": list(root_ids),
        "max_levels": MOST_LEVELS + 1,
    }
    return {
        (row.experiment_id, row.root_id): FamilyArm(row.arm, row.family)
        for row in session.execute(SQL.family_arms, values)
    }


def insert_assignments(
    session: Session, workspace_id: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert assignments in key order; an existing assignment stays as it is."""
    if rows:
        ordered = sorted(rows, key=lambda row: (row["account_id"], row["experiment_id"]))
        values = [{"workspace_id": workspace_id, **row} for row in ordered]
        session.execute(insert(Assignment).on_conflict_do_nothing(), values)


def claim_due_assignments(session: Session, *, today: date) -> Sequence[Assignment]:
    """Lock a page of assignments whose horizon has passed, of all workspaces.

    Rows locked by another worker are skipped, and those whose account may still renew.
    """
    due_on = Assignment.__table__.columns["due_on"]
    is_open = may_renew(Assignment, due_on, today=today, grace=grace_days(session))
    return session.scalars(
        select(Assignment)
        .where(Assignment.success.is_(None), Assignment.due_on < today, ~is_open)
        .order_by(Assignment.due_on)
        .limit(PAGE_SIZE)
        .with_for_update(skip_locked=True)
    ).all()


def load_family_roots(
    session: Session, workspace_id: str, account_ids: Sequence[str]
) -> dict[str, str]:
    """Return the root account of each account's family; an account without a parent is its own."""
    values = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "max_levels": MOST_LEVELS + 1,
    }
    return {row.account_id: row.root_id for row in session.execute(SQL.family_roots, values)}


def load_tally(
    session: Session, workspace_id: str, experiment_id: str
) -> dict[str, dict[str, int]]:
    """Count families by arm: assigned, decided, and decided as a success."""
    values = {"workspace_id": workspace_id, "experiment_id": experiment_id}
    return {
        row.arm: {"assigned": row.assigned, "trials": row.trials, "successes": row.successes}
        for row in session.execute(SQL.tally, values)
    }


def list_contaminated(
    session: Session, workspace_id: str, experiment_id: str, *, limit: int
) -> Sequence[Row[Any]]:
    """List accounts that got another treatment than their arm: account, arm, why."""
    values = {"workspace_id": workspace_id, "experiment_id": experiment_id, "limit": limit}
    return session.execute(SQL.contaminated, values).all()
