"""Boosted trees, and how much each column moved their sum (docs/adr/0025). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from app.churn.model.preprocessing import Floats, infinite_as_missing

PREDICT_CHUNK_ROWS, WALK_CHUNK_ROWS = 16_384, 1024
"""As many as are fastest, and as many as take little memory with every tree at a time."""

NO_CATEGORIES = np.zeros((0, 8), np.uint32), np.zeros(0, np.uint32)


@dataclass(frozen=True)
class Forest:
    """Bags of trees: a bag's log-odds are its baseline and a leaf of each tree, all added up.

    ``columns``: places in the panel of what the trees call 0, 1, 2 ... ``trees``: scikit-learn's
    ``TreePredictor``, by bag.
    """

    columns: NDArray[np.int64]
    baselines: tuple[float, ...]
    trees: tuple[tuple[Any, ...], ...]

    @classmethod
    def of(cls, columns: NDArray[np.int64], bags: Sequence[HistGradientBoostingClassifier]) -> Self:
        baselines = tuple(float(bag._baseline_prediction[0, 0]) for bag in bags)  # noqa: SLF001
        trees = tuple(
            tuple(tree for (tree,) in bag._predictors)  # noqa: SLF001
            for bag in bags
        )
        return cls(columns, baselines, trees)

    @property
    def bias(self) -> float:
        """The log-odds that are expected of a training row."""
        return float(np.mean(self.baselines)) + float(self._paths.expected.sum())

    def margin(self, x: Floats) -> Floats:
        """Compute log-odds: the mean of the bags."""
        kept = np.ascontiguousarray(infinite_as_missing(x[:, self.columns]))
        total = np.zeros(len(kept))
        for start in range(0, len(kept), PREDICT_CHUNK_ROWS):
            some = kept[start : start + PREDICT_CHUNK_ROWS]
            for tree in self._flat:
                total[start : start + len(some)] += tree.predict(some, *NO_CATEGORIES, 1)
        return np.asarray(np.mean(self.baselines) + total / len(self.trees))

    def contributions(self, x: Floats) -> Floats:
        """Split the log-odds less the bias: each step down a tree counts for the column it asks."""
        kept = infinite_as_missing(x[:, self.columns])
        found = np.zeros(x.shape)
        for start in range(0, len(kept), WALK_CHUNK_ROWS):
            some = kept[start : start + WALK_CHUNK_ROWS]
            found[start : start + len(some), self.columns] = self._paths.walk(some)
        return found

    @property
    def _flat(self) -> tuple[Any, ...]:
        return tuple(tree for bag in self.trees for tree in bag)

    @cached_property
    def _paths(self) -> "Paths":
        return Paths.of([tree.nodes for tree in self._flat], len(self.trees))


@dataclass(frozen=True, slots=True)
class Paths:
    """The nodes of all trees in one table, row 0 of a tree being its root at ``roots``.

    ``step``: how the expected sum of a training row changes from the parent to the node;
    ``expected``: that of the roots. All for the mean of the bags.
    """

    roots: NDArray[np.int64]
    column: NDArray[np.int64]
    threshold: Floats
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    is_leaf: NDArray[np.bool_]
    step: Floats
    expected: Floats
    depth: int

    @classmethod
    def of(cls, trees: Sequence[NDArray[np.void]], bags: int) -> Self:
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
        """Go down all trees with all rows, a level at a time."""
        rows, columns = x.shape
        at = np.tile(self.roots, (rows, 1))
        found = np.zeros(rows * columns)
        row = np.arange(rows)[:, None]
        for _ in range(self.depth):
            column = self.column[at]
            value = x[row, column]
            goes_left = np.where(
                np.isnan(value), self.missing_left[at], value <= self.threshold[at]
            )
            below = np.where(goes_left, self.left[at], self.right[at])
            below = np.where(self.is_leaf[at], at, below)
            step = np.where(self.is_leaf[at], 0.0, self.step[below])
            cell = (row * columns + column).ravel()
            found += np.bincount(cell, step.ravel(), minlength=rows * columns)
            at = below
        return found.reshape(rows, columns)


def _expected(nodes: NDArray[np.void], left: NDArray[np.int64], right: NDArray[np.int64]) -> Floats:
    """Average the leaves below each node, weighted by the training rows they hold."""
    expected = np.where(nodes["is_leaf"], nodes["value"], 0.0)
    weight = nodes["count"].astype(np.float64)
    for depth in range(int(nodes["depth"].max(initial=0)), -1, -1):
        at = np.flatnonzero((nodes["depth"] == depth) & (nodes["is_leaf"] == 0))
        ends = left[at], right[at]
        expected[at] = sum(weight[end] * expected[end] for end in ends) / sum(
            weight[end] for end in ends
        )
    return expected
