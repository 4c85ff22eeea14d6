from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.alerts.tables import AlertRule
from app.churn.tables import ChurnModel
from app.churn.training.queries import TRAINING
from app.core.pagination import Paging
from app.health.definition.scorecard_queries import DISCARDED
from app.health.tables import Scorecard
from app.jobs import queries as jobs

MAX_JOBS = 1000


def list_active_subjects(session: Session, workspace_id: str) -> list[tuple[str, str]]:
    """List the kind and key of the active model, the active scorecard and the active rules.

    The built-in scorecard counts from the first training on: before, there is nothing to test.
    """
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
    active = [(kind, str(key)) for kind, query in keys.items() for key in session.scalars(query)]
    has_trained = jobs.find_newest_done(session, workspace_id, TRAINING, config={})
    if has_trained and "scorecard" not in dict(active):
        active.append(("scorecard", "1"))
    return active


def find_newest_draft(session: Session, workspace_id: str) -> tuple[str, str] | None:
    """Return the kind and key of the newest scorecard, if it is a draft."""
    newest = (
        select(Scorecard.version, Scorecard.state)
        .where(Scorecard.workspace_id == workspace_id, Scorecard.state != DISCARDED)
        .order_by(Scorecard.version.desc())
        .limit(1)
    )
    row = session.execute(newest).first()
    return ("scorecard", str(row.version)) if row and row.state == "draft" else None


def list_tested_subjects(
    session: Session, workspace_id: str, kind: str
) -> list[set[tuple[str, str]]]:
    """Return the kinds and keys of the subjects of each stored backtest job, finished or not."""
    stored = jobs.list_jobs(session, workspace_id, Paging(MAX_JOBS, None), kinds=[kind])
    return [{(each["kind"], each["key"]) for each in row.config["subjects"]} for row in stored.rows]
