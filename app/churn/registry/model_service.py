"""Which model holds: promoted, rolled back, found wanting. Each is told; all are scored again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.due import Priority
from app.accounts.queries import mark_all_due
from app.churn.model.artifacts import UnusableArtifactError
from app.churn.registry import model_queries as queries
from app.churn.registry import store
from app.churn.tables import ChurnModel
from app.core.errors import ConflictError
from app.webhooks.outbox import NewMessage, publish
from app.workspaces.service import Actor


class UnfitModelError(ConflictError):
    code = "model_unfit"


class NothingToRollBackError(ConflictError):
    code = "nothing_to_roll_back"


def promote(session: Session, change: Actor, version: int) -> ChurnModel:
    """Let a model hold because a person says so, whatever its checks say. Twice is as once."""
    queries.lock_models(session, change.workspace_id)
    row = queries.get_model(session, change.workspace_id, version)
    if row.state != "active":
        try:
            store.load_model(session, row)
        except UnusableArtifactError as error:
            raise UnfitModelError(f"Version {version} cannot be used here. {error}") from error
        activate(session, change, row)
    return row


def roll_back(session: Session, change: Actor) -> ChurnModel | None:
    """Let the model hold that held before; without one the rules."""
    workspace_id = change.workspace_id
    queries.lock_models(session, workspace_id)
    holds = queries.find_active_model(session, workspace_id)
    if holds is None:
        raise NothingToRollBackError("No model holds: risk is told by the rules.")
    before = queries.find_previous_active_model(session, workspace_id)
    queries.retire_active_model(session, workspace_id, state="rolled_back", now=change.at)
    if before is None:
        change.audit(session, "churn_model.rolled_back", str(holds.version))
        mark_all_due(session, workspace_id, priority=Priority.SWEEP)
    else:
        activate(session, change, before)
    return before


def activate(session: Session, change: Actor, row: ChurnModel) -> None:
    """Let a model hold; the one that held is kept."""
    before = queries.find_active_model(session, row.workspace_id)
    queries.retire_active_model(session, row.workspace_id, state="retired", now=change.at)
    row.state, row.retired_at = "active", None
    row.activated_at, row.activated_by = change.at, change.actor
    session.flush()
    said = {
        "model_version": str(row.version),
        "previous_version": None if before is None else str(before.version),
        "status": row.stage,
        "horizon_days": row.horizon_days,
        "metrics": _metrics(row),
        "link": f"/api/v1/churn-models/{row.version}",
    }
    publish(session, row.workspace_id, [NewMessage("model.activated", said)], now=change.at)
    change.audit(session, "churn_model.activated", str(row.version))
    mark_all_due(session, row.workspace_id, priority=Priority.SWEEP)


def degrade(session: Session, row: ChurnModel, reasons: Sequence[str], *, now: datetime) -> None:
    """Take a model that no longer fits out of service: risk falls back to the rules."""
    row.state, row.retired_at = "degraded", now
    session.flush()
    said = {
        "model_version": str(row.version),
        "reason": " ".join(reasons),
        "metrics": _metrics(row),
        "link": f"/api/v1/churn-models/{row.version}",
    }
    publish(session, row.workspace_id, [NewMessage("model.degraded", said)], now=now)
    change = Actor(row.workspace_id, "worker", now)
    change.audit(session, "churn_model.degraded", str(row.version))
    mark_all_due(session, row.workspace_id, priority=Priority.SWEEP)


def _metrics(row: ChurnModel) -> dict[str, float | None]:
    figures = (row.card.get("unseen") or {}).get("figures", {})
    return {name: figure["value"] for name, figure in figures.items()}
