"""Decide which model is active: promote, roll back, degrade.

Each change publishes a message, leaves an audit entry and marks all accounts due for scoring.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, mark_all_due
from app.churn.model.artifacts import UnusableArtifactError
from app.churn.model.recalibration import Recalibration
from app.churn.registry import model_queries as queries
from app.churn.registry import store
from app.churn.tables import ChurnModel
from app.core.errors import ConflictError
from app.webhooks.outbox import NewMessage, publish
from app.workspaces.service import Actor


class UnusableModelError(ConflictError):
    code = "model_unfit"


class NothingToRollBackError(ConflictError):
    code = "nothing_to_roll_back"


def promote(session: Session, actor: Actor, version: int) -> ChurnModel:
    """Activate a model because a person asks for it, whatever its checks say. Idempotent.

    Raises UnusableModelError if this process cannot read the stored model.
    """
    queries.lock_models(session, actor.workspace_id)
    row = queries.get_model(session, actor.workspace_id, version)
    if row.state != "active":
        try:
            store.load_model(session, row)
        except UnusableArtifactError as error:
            reason = f"Version {version} cannot be used here. {error} Train a new model."
            raise UnusableModelError(reason) from error
        activate(session, actor, row)
    return row


def roll_back(session: Session, actor: Actor) -> ChurnModel | None:
    """Take the active model out of service and activate the previous one.

    Returns None if there is no previous model: churn risk uses the rules then. Raises
    NothingToRollBackError without an active model.
    """
    workspace_id = actor.workspace_id
    queries.lock_models(session, workspace_id)
    active = queries.find_active_model(session, workspace_id)
    if active is None:
        raise NothingToRollBackError("There is nothing to roll back: no model is active.")
    previous = queries.find_previous_active_model(session, workspace_id)
    queries.retire_active_model(session, workspace_id, state="rolled_back", now=actor.at)
    if previous is None:
        actor.audit(session, "churn_model.rolled_back", str(active.version))
        mark_all_due(session, workspace_id, priority=Priority.SWEEP)
    else:
        activate(session, actor, previous)
    return previous


def activate(session: Session, actor: Actor, row: ChurnModel) -> None:
    """Make a model active. The model that was active is retired. The caller holds the lock."""
    previous = queries.find_active_model(session, row.workspace_id)
    queries.retire_active_model(session, row.workspace_id, state="retired", now=actor.at)
    row.state, row.retired_at = "active", None
    row.activated_at, row.activated_by = actor.at, actor.name
    facts = {
        "previous_version": None if previous is None else str(previous.version),
        "status": row.stage,
        "horizon_days": row.horizon_days,
    }
    _announce(session, actor, "model.activated", row, facts)


def degrade(session: Session, row: ChurnModel, reasons: Sequence[str], *, now: datetime) -> None:
    """Take a model that no longer fits out of service. Churn risk uses the rules then."""
    row.state, row.retired_at = "degraded", now
    actor = Actor(row.workspace_id, "worker", now)
    _announce(session, actor, "model.degraded", row, {"reason": " ".join(reasons)})


def recalibrate(row: ChurnModel, found: Recalibration, *, starts_on: date) -> None:
    """Shift the level of a model for the risks of a day and of those after it.

    Outcomes become known at month ends, so that most days bring no other level.
    """
    day = starts_on.isoformat()
    earlier = [each for each in row.recalibrations if each["starts_on"] < day]
    stored = found.to_json()
    if not earlier or earlier[-1] != {"starts_on": earlier[-1]["starts_on"], **stored}:
        row.recalibrations = [*earlier, {"starts_on": day, **stored}]


def _announce(
    session: Session, actor: Actor, message_type: str, row: ChurnModel, facts: Mapping[str, Any]
) -> None:
    """Publish a change of a model. Without unseen time on its card, ``metrics`` is empty."""
    session.flush()
    figures = (row.card.get("unseen") or {}).get("figures", {})
    data = {
        "model_version": str(row.version),
        **facts,
        "metrics": {name: figure["value"] for name, figure in figures.items()},
        "link": f"/api/v1/churn-models/{row.version}",
    }
    publish(session, row.workspace_id, [NewMessage(message_type, data)], now=actor.at)
    actor.audit(session, f"churn_{message_type}", str(row.version))
    mark_all_due(session, row.workspace_id, priority=Priority.SWEEP)
