from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session, undefer

from app.churn.model.artifacts import Artifact
from app.churn.tables import ChurnModel
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import advisory_lock, fetch_page, get_row


def find_active_model(session: Session, workspace_id: str) -> ChurnModel | None:
    """Find the row of the active model. Its artifact is not loaded."""
    return session.scalar(_select_models(workspace_id).where(ChurnModel.state == "active"))


def get_model(session: Session, workspace_id: str, version: int) -> ChurnModel:
    return get_row(session, ChurnModel, (workspace_id, version))


def load_artifact(session: Session, workspace_id: str, version: int) -> Artifact:
    query = _select_models(workspace_id).where(ChurnModel.version == version)
    row = session.scalars(query.options(undefer("*"))).one()
    return Artifact(row.head, row.trees)


def list_models(session: Session, workspace_id: str, paging: Paging) -> RowPage[ChurnModel]:
    """List models, newest first."""
    query = _select_models(workspace_id)
    return fetch_page(session, query, ChurnModel.version, paging=paging, descending=True)


def lock_models(session: Session, workspace_id: str) -> None:
    """Let only one transaction at a time add or activate a model of a workspace."""
    advisory_lock(session, "churn models", workspace_id)


def insert_model(
    session: Session,
    workspace_id: str,
    **columns: Any,  # noqa: ANN401 - of the table
) -> ChurnModel:
    """Insert a model under the next version number. The caller holds the lock of the models."""
    in_workspace = ChurnModel.workspace_id == workspace_id
    newest = session.scalar(select(func.max(ChurnModel.version)).where(in_workspace)) or 0
    row = ChurnModel(workspace_id=workspace_id, version=newest + 1, **columns)
    session.add(row)
    session.flush()
    return row


def retire_active_model(session: Session, workspace_id: str, *, state: str, now: datetime) -> None:
    session.execute(
        update(ChurnModel)
        .where(ChurnModel.workspace_id == workspace_id, ChurnModel.state == "active")
        .values(state=state, retired_at=now)
    )


def find_previous_active_model(session: Session, workspace_id: str) -> ChurnModel | None:
    """Find the model that was retired last. Rolled back and degraded models do not count."""
    query = _select_models(workspace_id).where(ChurnModel.state == "retired")
    return session.scalar(query.order_by(ChurnModel.retired_at.desc()).limit(1))


def _select_models(workspace_id: str) -> Select[ChurnModel]:
    return select(ChurnModel).where(ChurnModel.workspace_id == workspace_id)
