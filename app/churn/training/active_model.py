"""The active model as a training sees it: what a candidate must beat, on columns by its names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.churn.model.artifacts import UnusableArtifactError
from app.churn.model.model import Model
from app.churn.model.panel import Panel
from app.churn.model.recalibration import Recalibration
from app.churn.registry import model_queries, store
from app.core.arrays import Floats, np


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """The active model as it was trained, and the parts of its row that decide how it is evaluated.

    ``recalibration``: what its level has been shifted by since.
    """

    version: int
    model: Model
    data_through: date
    known_through: date
    profile: dict[str, Any]
    recalibration: Recalibration | None = None


def find_active_model(session: Session, workspace_id: str, horizon_days: int) -> ActiveModel | None:
    """Find the active model that a candidate must beat.

    A model with another horizon, or one that this process cannot use, does not count.
    """
    row = model_queries.find_active_model(session, workspace_id)
    if row is None or row.horizon_days != horizon_days:
        return None
    try:
        model = store.load_model(session, row)
    except UnusableArtifactError:
        return None
    return ActiveModel(
        row.version,
        model,
        row.data_through,
        row.known_through,
        row.card["profile"],
        store.find_recalibration(row),
    )


def align_columns(model: Model, names: Sequence[str], x: Floats) -> Floats:
    """Return rows by ``names`` as rows by the model's names. Columns without a match are nan."""
    aligned = np.full((len(x), len(model.names)), np.nan)
    for column, name in enumerate(model.names):
        if name in names:
            aligned[:, column] = x[:, names.index(name)]
    return aligned


def align_panel(model: Model, panel: Panel) -> Panel:
    """Return a panel with the columns of the model's names."""
    x = align_columns(model, panel.names, panel.x)
    return replace(panel, names=model.names, x=x)
