"""Models as bytes: JSON, and trees by skops; never pickle (docs/adr/0025). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile

import numpy as np
import orjson
import sklearn
import skops
import skops.io
from numpy.typing import NDArray
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

from app.churn.model.forest import Forest
from app.churn.model.linear import Linear
from app.churn.model.model import Calibration, Model

FORMAT = 1
TRUSTED_TYPES: tuple[str, ...] = ()
"""What the trees may hold beside arrays, numbers, lists and dicts: nothing."""
NO_CATEGORIES = np.zeros((0, 8), np.uint32)


class UnusableArtifactError(Exception):
    """It is not what was stored, or was made by other versions: the model is trained again."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """``head``: JSON with all but the trees. ``trees``: None without any."""

    head: bytes
    trees: bytes | None

    @property
    def sha256(self) -> str:
        return sha256(sha256(self.head).digest() + (self.trees or b"")).hexdigest()


def current_versions() -> dict[str, str]:
    return {
        "format": str(FORMAT),
        "scikit-learn": sklearn.__version__,
        "skops": skops.__version__,
    }


def dump(model: Model) -> Artifact:
    forests = [part for part in model.parts if isinstance(part, Forest)]
    head = {
        "versions": current_versions(),
        "names": model.names,
        "horizon_days": model.horizon_days,
        "calibration": model.calibration,
        "parts": [None if isinstance(part, Forest) else part.to_json() for part in model.parts],
    }
    trees = skops.io.dumps([_plain(each) for each in forests], compression=ZIP_DEFLATED)
    return Artifact(orjson.dumps(head), trees if forests else None)


def load(artifact: Artifact, expected_sha256: str) -> Model:
    """Read a model back; raises UnfitArtifactError before anything of it is looked into."""
    if artifact.sha256 != expected_sha256:
        raise UnusableArtifactError("The hash is another one.")
    head = orjson.loads(artifact.head)
    if head["versions"] != current_versions():
        raise UnusableArtifactError(f"It was made by {head['versions']}.")
    try:
        return _read(head, artifact.trees)
    except (LookupError, TypeError, ValueError, BadZipFile) as error:
        raise UnusableArtifactError(f"It is not a model ({type(error).__name__}).") from error


def _read(head: Mapping[str, Any], trees: bytes | None) -> Model:
    plain = [] if trees is None else skops.io.loads(trees, trusted=list(TRUSTED_TYPES))
    forests = iter([_forest(each) for each in plain])
    return Model(
        tuple(head["names"]),
        head["horizon_days"],
        tuple(next(forests) if part is None else Linear.from_json(part) for part in head["parts"]),
        Calibration(**head["calibration"]),
    )


def _plain(forest: Forest) -> dict[str, Any]:
    nodes = [[tree.nodes for tree in bag] for bag in forest.trees]
    return {
        "columns": forest.columns,
        "baselines": list(forest.baselines),
        "sizes": [[len(each) for each in bag] for bag in nodes],
        "nodes": np.concatenate([each for bag in nodes for each in bag]),
    }


def _forest(stored: Mapping[str, Any]) -> Forest:
    sizes, nodes, columns = stored["sizes"], stored["nodes"], stored["columns"]
    cut = iter(np.split(nodes, np.cumsum([size for bag in sizes for size in bag])[:-1]))
    trees = tuple(tuple(_tree(next(cut), len(columns)) for _ in bag) for bag in sizes)
    return Forest(columns, tuple(stored["baselines"]), trees)


def _tree(nodes: NDArray[np.void], columns: int) -> TreePredictor:
    """Make a tree; its walk in C trusts every place, so that they are checked here."""
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    ends = np.stack([nodes["left"], nodes["right"]])[:, inner]
    asked = nodes["feature_idx"][inner]
    leads_on = ((ends > inner) & (ends < len(nodes))).all()
    if (
        nodes["is_categorical"].any()
        or not leads_on
        or not ((asked >= 0) & (asked < columns)).all()
    ):
        raise ValueError("A node leads nowhere.")
    return TreePredictor(np.ascontiguousarray(nodes), NO_CATEGORIES, NO_CATEGORIES)
