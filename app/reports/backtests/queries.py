from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.alerts.tables import AlertRule
from app.churn.tables import ChurnModel
from app.core.pagination import Paging
from app.health.tables import Scorecard
from app.jobs import queries as jobs

MAX_JOBS = 1000


def list_active_subjects(session: Session, workspace_id: str) -> list[tuple[str, str]]:
    """List the kind and key of the active model, the active scorecard and the active rules."""
    keys: dict[str, Select[Any]] = {
        "model": select(ChurnModel.version).where(
            ChurnModel.workspace_id == workspace_id, ChurnModel.state == "active"
        ),
        "scorecard": select(Scorecard.version).where(
            Scorecard.workspace_id == workspace_id, Scorecard.state == "active"
        ),
        "alert_rule": select(AlertRule.key).where(
            AlertRule.workspace_id == workspace_id, AlertRule.active
        ),
    }
    return [(kind, str(key)) for kind, query in keys.items() for key in session.scalars(query)]


def list_tested_subjects(session: Session, workspace_id: str, kind: str) -> set[tuple[str, str]]:
    """Return the kind and key of every subject of a stored backtest job, finished or not."""
    stored = jobs.list_jobs(session, workspace_id, Paging(MAX_JOBS, None), kinds=[kind])
    return {(each["kind"], each["key"]) for row in stored.rows for each in row.config["subjects"]}
