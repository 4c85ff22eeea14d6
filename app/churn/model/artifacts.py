"""Store models as bytes: JSON, and trees by skops; never pickle (docs/adr/0025). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, BadZipFile

import orjson

from app.churn.model.forest import Forest
from app.churn.model.linear import Linear
from app.churn.model.model import Calibration, Model
from app.core.arrays import Records, np

if TYPE_CHECKING:
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

FORMAT = 1
TRUSTED_TYPES: tuple[str, ...] = ()
"""Types that the tree file may contain beside arrays, numbers, lists and dicts: none."""


class UnusableArtifactError(Exception):
    """The bytes were altered, or other library versions wrote them. Train the model again."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A model as bytes. ``head``: JSON with all but the trees. ``trees``: None if it has none."""

    head: bytes
    trees: bytes | None

    @property
    def sha256(self) -> str:
        return sha256(sha256(self.head).digest() + (self.trees or b"")).hexdigest()


def current_versions() -> dict[str, str]:
    """Return the artifact format and the library versions that this process writes and reads."""
    return {
        "format": str(FORMAT),
        **{library: version(library) for library in ("scikit-learn", "skops")},
    }


def dump(model: Model) -> Artifact:
    import skops.io

    forests = [part for part in model.parts if isinstance(part, Forest)]
    head = {
        "versions": current_versions(),
        "names": model.names,
        "horizon_days": model.horizon_days,
        "calibration": model.calibration,
        "parts": [None if isinstance(part, Forest) else part for part in model.parts],
    }
    trees = skops.io.dumps([_forest_to_plain(each) for each in forests], compression=ZIP_DEFLATED)
    return Artifact(orjson.dumps(head, default=np.ndarray.tolist), trees if forests else None)


def load(artifact: Artifact, expected_sha256: str) -> Model:
    """Read a model back.

    Raises UnusableArtifactError. The hash and the versions are checked before any content is
    parsed.
    """
    if artifact.sha256 != expected_sha256:
        raise UnusableArtifactError(
            "The stored model was altered: its hash differs from the stored hash."
        )
    head = orjson.loads(artifact.head)
    if head["versions"] != current_versions():
        raise UnusableArtifactError(
            f"The stored model was written by {head['versions']}, this service has"
            f" {current_versions()}."
        )
    try:
        return _parse(head, artifact.trees)
    except (LookupError, TypeError, ValueError, BadZipFile) as error:
        reason = f"The stored content is not a model ({type(error).__name__})."
        raise UnusableArtifactError(reason) from error


def _parse(head: Mapping[str, Any], trees: bytes | None) -> Model:
    import skops.io

    plain = [] if trees is None else skops.io.loads(trees, trusted=list(TRUSTED_TYPES))
    forests = iter([_forest_from_plain(each) for each in plain])
    return Model(
        tuple(head["names"]),
        head["horizon_days"],
        tuple(next(forests) if part is None else Linear.from_json(part) for part in head["parts"]),
        Calibration(**head["calibration"]),
    )


def _forest_to_plain(forest: Forest) -> dict[str, Any]:
    nodes = [[tree.nodes for tree in bag] for bag in forest.trees]
    return {
        "columns": forest.columns,
        "baselines": list(forest.baselines),
        "sizes": [[len(each) for each in bag] for bag in nodes],
        "nodes": np.concatenate([each for bag in nodes for each in bag]),
    }


def _forest_from_plain(stored: Mapping[str, Any]) -> Forest:
    sizes, nodes, columns = stored["sizes"], stored["nodes"], stored["columns"]
    cut = iter(np.split(nodes, np.cumsum([size for bag in sizes for size in bag])[:-1]))
    trees = tuple(tuple(_build_tree(next(cut), len(columns)) for _ in bag) for bag in sizes)
    return Forest(columns, tuple(stored["baselines"]), trees)


def _build_tree(nodes: Records, columns: int) -> "TreePredictor":
    """Build a tree from its nodes; raises ValueError.

    scikit-learn walks trees in C and checks no index, so every index is checked here.
    """
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    children = np.stack([nodes["left"], nodes["right"]])[:, inner]
    split_columns = nodes["feature_idx"][inner]
    children_exist = ((children > inner) & (children < len(nodes))).all()
    columns_exist = ((split_columns >= 0) & (split_columns < columns)).all()
    if nodes["is_categorical"].any() or not children_exist or not columns_exist:
        raise ValueError("A node of a tree refers to a child or a column that does not exist.")
    no_categories = np.zeros((0, 8), np.uint32)
    return TreePredictor(np.ascontiguousarray(nodes), no_categories, no_categories)
