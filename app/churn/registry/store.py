"""The model that holds, found by every process: stored in the database, cached on disk."""

from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import orjson
import structlog
from sqlalchemy.orm import Session

from app.churn.model import artifacts
from app.churn.model.artifacts import Artifact, UnusableArtifactError
from app.churn.model.model import Model, ModelStage
from app.churn.registry import model_queries
from app.churn.tables import ChurnModel

log = structlog.get_logger()

FOLDER = Path("models")
HEAD, TREES, CARD = "model.json", "trees.skops", "card.json"


def load_active_model(session: Session, workspace_id: str) -> Model | None:
    """Load the model that holds; None without one, and where it does not fit this process."""
    row = model_queries.find_active_model(session, workspace_id)
    if row is None:
        return None
    try:
        return load_model(session, row)
    except UnusableArtifactError as error:
        log.warning("churn_model_unfit", workspace_id=workspace_id, reason=str(error))
        return None


def load_model(session: Session, row: ChurnModel) -> Model:
    """Load a model, from disk if it is there unchanged; raises UnfitArtifactError."""
    place = FOLDER / row.workspace_id / str(row.version)
    try:
        model = _load(_on_disk(place), row.sha256)
    except (OSError, UnusableArtifactError):
        stored = model_queries.load_artifact(session, row.workspace_id, row.version)
        model = _load(stored, row.sha256)
        with suppress(OSError):  # it is only a cache: the place may be read-only
            _to_disk(place, stored, orjson.dumps(row.card))
    learnt = row.card["data"]
    usual = learnt["churned_rows"] / learnt["rows"]
    return replace(model, stage=ModelStage(row.stage), version=row.version, usual=usual)


@lru_cache(maxsize=16)
def _load(artifact: Artifact, sha256: str) -> Model:
    return artifacts.load(artifact, sha256)


def _on_disk(place: Path) -> Artifact:
    trees = place / TREES
    return Artifact((place / HEAD).read_bytes(), trees.read_bytes() if trees.exists() else None)


def _to_disk(place: Path, artifact: Artifact, card: bytes) -> None:
    """Write under another name first: another process may be reading."""
    place.mkdir(parents=True, exist_ok=True)
    for name, content in ((TREES, artifact.trees), (CARD, card), (HEAD, artifact.head)):
        target = place / name
        if content is None:
            target.unlink(missing_ok=True)
        else:
            made = target.with_suffix(".new")
            made.write_bytes(content)
            made.replace(target)
