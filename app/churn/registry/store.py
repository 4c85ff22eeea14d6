"""Load stored models: from the database, with a cache on disk and in memory."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import orjson
from sqlalchemy.orm import Session

from app.churn.model import artifacts
from app.churn.model.artifacts import Artifact, UnusableArtifactError
from app.churn.model.levels import ModelStage
from app.churn.model.model import Model, Precision
from app.churn.model.recalibration import Recalibration, recalibrate
from app.churn.registry import model_queries
from app.churn.tables import ChurnModel
from app.core.logs import get_logger

log = get_logger()

FOLDER = Path("models")
HEAD, TREES, CARD = "model.json", "trees.skops", "card.json"


def load_active_model(
    session: Session, workspace_id: str, *, as_of: date | None = None
) -> Model | None:
    """Load the active model as it is recalibrated for the risks of a day, by default the newest.

    None without an active model, or if this process cannot use its artifact.
    """
    row = model_queries.find_active_model(session, workspace_id)
    if row is None:
        return None
    try:
        return recalibrate(load_model(session, row), find_recalibration(row, as_of))
    except UnusableArtifactError as error:
        log.warning("churn_model_unusable", workspace_id=workspace_id, reason=str(error))
        return None


def load_model(session: Session, row: ChurnModel) -> Model:
    """Load a model as it was trained.

    It comes from disk if the files there are unchanged, else from the database. Raises
    UnusableArtifactError.
    """
    folder = FOLDER / row.workspace_id / str(row.version)
    try:
        model = _parse(_read_files(folder), row.sha256)
    except (OSError, UnusableArtifactError):
        artifact = model_queries.load_artifact(session, row.workspace_id, row.version)
        model = _parse(artifact, row.sha256)
        with suppress(OSError):  # it is only a cache, and the folder may be read-only
            _write_files(folder, artifact, orjson.dumps(row.card))
    data = row.card["data"]
    slope_error = (row.card.get("unseen") or {}).get("slope_error")
    return replace(
        model,
        stage=ModelStage(row.stage),
        version=row.version,
        base_rate=data["churned_rows"] / data["rows"],
        precision=Precision() if slope_error is None else Precision(slope_error=slope_error),
    )


def find_recalibration(row: ChurnModel, as_of: date | None = None) -> Recalibration | None:
    """Return the newest recalibration that applies to the risks of a day, or to any day."""
    for stored in reversed(row.recalibrations):
        if as_of is None or stored["starts_on"] <= as_of.isoformat():
            return Recalibration.from_json(stored)
    return None


@lru_cache(maxsize=16)
def _parse(artifact: Artifact, sha256: str) -> Model:
    return artifacts.load(artifact, sha256)


def _read_files(folder: Path) -> Artifact:
    trees = folder / TREES
    return Artifact((folder / HEAD).read_bytes(), trees.read_bytes() if trees.exists() else None)


def _write_files(folder: Path, artifact: Artifact, card: bytes) -> None:
    """Write each file under a temporary name first, because another process may be reading it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((TREES, artifact.trees), (CARD, card), (HEAD, artifact.head)):
        target = folder / name
        if content is None:
            target.unlink(missing_ok=True)
        else:
            temporary = target.with_suffix(".new")
            temporary.write_bytes(content)
            temporary.replace(target)
