"""Boosted trees, and the contribution of each column to their sum (docs/adr/0025). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Self

from app.churn.model.panel import infinite_as_missing
from app.core.arrays import Booleans, Floats, Integers, Records, np

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

PREDICT_CHUNK_ROWS, WALK_CHUNK_ROWS = 16_384, 1024
"""Rows at a time. Measured: the first is fastest for prediction; the second keeps the memory small
when all trees are walked at once."""


@cache
def no_categories() -> tuple[Any, Any]:
    """Return the arguments about categorical columns for a tree that has none."""
    return np.zeros((0, 8), np.uint32), np.zeros(0, np.uint32)


@dataclass(frozen=True)
class Forest:
    """Bags of trees. The log-odds of a bag are its baseline plus one leaf of each tree.

    ``columns``: the panel's index of each column that the trees call 0, 1, 2 ... ``trees``:
    scikit-learn's ``TreePredictor``, by bag.
    """

    columns: Integers
    baselines: tuple[float, ...]
    trees: tuple[tuple[Any, ...], ...]

    @classmethod
    def from_bags(cls, columns: Integers, bags: "Sequence[HistGradientBoostingClassifier]") -> Self:
        baselines = tuple(float(bag._baseline_prediction[0, 0]) for bag in bags)  # noqa: SLF001
        trees = tuple(tuple(tree for (tree,) in bag._predictors) for bag in bags)  # noqa: SLF001
        return cls(columns, baselines, trees)

    @property
    def bias(self) -> float:
        """The expected log-odds of a training row."""
        return float(np.mean(self.baselines)) + float(self._paths.expected.sum())

    def margin(self, x: Floats) -> Floats:
        """Compute log-odds: the mean of the bags."""
        values = np.ascontiguousarray(infinite_as_missing(x[:, self.columns]))
        total = np.zeros(len(values))
        for start in range(0, len(values), PREDICT_CHUNK_ROWS):
            chunk = values[start : start + PREDICT_CHUNK_ROWS]
            for tree in self._all_trees:
                total[start : start + len(chunk)] += tree.predict(chunk, *no_categories(), 1)
        return np.asarray(np.mean(self.baselines) + total / len(self.trees))

    def contributions(self, x: Floats) -> Floats:
        """Split the log-odds minus the bias into columns.

        Each step down a tree counts for the column that the node splits on.
        """
        values = infinite_as_missing(x[:, self.columns])
        contributions = np.zeros(x.shape)
        for start in range(0, len(values), WALK_CHUNK_ROWS):
            chunk = values[start : start + WALK_CHUNK_ROWS]
            contributions[start : start + len(chunk), self.columns] = self._paths.walk(chunk)
        return contributions

    @property
    def _all_trees(self) -> tuple[Any, ...]:
        return tuple(tree for bag in self.trees for tree in bag)

    @cached_property
    def _paths(self) -> "Paths":
        return Paths.from_nodes([tree.nodes for tree in self._all_trees], len(self.trees))


@dataclass(frozen=True, slots=True)
class Paths:
    """The nodes of all trees in one table. ``roots``: the row of each tree's root.

    ``step``: the change of a training row's expected sum from the parent to the node.
    ``expected``: the expected sums of the roots. Both are for the mean of the bags.
    """

    roots: Integers
    column: Integers
    threshold: Floats
    missing_left: Booleans
    left: Integers
    right: Integers
    is_leaf: Booleans
    step: Floats
    expected: Floats
    depth: int

    @classmethod
    def from_nodes(cls, trees: Sequence[Records], bags: int) -> Self:
        sizes = [len(nodes) for nodes in trees]
        roots = np.cumsum([0, *sizes[:-1]])
        nodes = np.concatenate(trees)
        offset = np.repeat(roots, sizes)
        left, right = nodes["left"] + offset, nodes["right"] + offset
        is_leaf = nodes["is_leaf"].astype(bool)
        expected = _expected(nodes, left, right) / bags
        step = np.zeros(len(nodes))
        inner = np.flatnonzero(~is_leaf)
        for child in (left[inner], right[inner]):
            step[child] = expected[child] - expected[inner]
        return cls(
            roots,
            nodes["feature_idx"].astype(np.int64),
            nodes["num_threshold"],
            nodes["missing_go_to_left"].astype(bool),
            left,
            right,
            is_leaf,
            step,
            expected[roots],
            int(nodes["depth"].max(initial=0)),
        )

    def walk(self, x: Floats) -> Floats:
        """Walk all rows down all trees, one level at a time; return each column's contribution."""
        rows, columns = x.shape
        node = np.tile(self.roots, (rows, 1))
        contributions = np.zeros(rows * columns)
        row = np.arange(rows)[:, None]
        for _ in range(self.depth):
            column = self.column[node]
            value = x[row, column]
            goes_left = np.where(
                np.isnan(value), self.missing_left[node], value <= self.threshold[node]
            )
            child = np.where(goes_left, self.left[node], self.right[node])
            child = np.where(self.is_leaf[node], node, child)
            step = np.where(self.is_leaf[node], 0.0, self.step[child])
            cell = (row * columns + column).ravel()
            contributions += np.bincount(cell, step.ravel(), minlength=rows * columns)
            node = child
        return contributions.reshape(rows, columns)


def _expected(nodes: Records, left: Integers, right: Integers) -> Floats:
    """Return the mean of the leaves below each node, weighted by their training rows."""
    expected = np.where(nodes["is_leaf"], nodes["value"], 0.0)
    weight = nodes["count"].astype(np.float64)
    for depth in range(int(nodes["depth"].max(initial=0)), -1, -1):
        inner = np.flatnonzero((nodes["depth"] == depth) & (nodes["is_leaf"] == 0))
        children = left[inner], right[inner]
        expected[inner] = sum(weight[child] * expected[child] for child in children) / sum(
            weight[child] for child in children
        )
    return expected
