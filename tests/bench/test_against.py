"""Two trees under the same load. Nothing is asserted about speed."""

import math
import os
from typing import Any

import pytest
from typer.testing import CliRunner

from bench import against
from bench.__main__ import app
from bench.rig.processor_time import processor_seconds
from bench.rig.trees import THIS, UnknownRevisionError, tree_of

RUNNER = CliRunner()
ONLY = ("live", "scored", "reads", "not-modified", "rest")


def test_every_part_gives_a_pair_of_figures_for_each_round() -> None:
    pairs = against.compare(THIS, THIS, ONLY, against.SMALLEST)

    assert {name.partition(":")[0] for name in pairs} == set(ONLY)
    for name, values in pairs.items():
        assert len(values) == against.SMALLEST.rounds, name
        assert all(math.isfinite(value) and value >= 0 for pair in values for value in pair), name


def test_the_table_has_medians_and_the_ratios_pair_by_pair() -> None:
    table = against.build_table({"cost": [(10, 5), (20, 30), (40, 8)]}, THIS, THIS)
    cells: list[Any] = [[*column.cells] for column in table.columns]

    assert cells == [["cost"], ["20.0"], ["8.0"], ["0.50"], ["0.20"], ["1.50"]]


def test_the_time_of_a_process_includes_that_of_its_children() -> None:
    own = os.times()

    total = processor_seconds([os.getpid()])

    assert total >= own.user + own.system + own.children_user + own.children_system - 0.05


def test_an_unknown_revision_is_refused() -> None:
    with pytest.raises(UnknownRevisionError, match="is no commit"):
        tree_of("no-such-commit")


def test_an_unknown_part_is_refused_with_the_names() -> None:
    result = RUNNER.invoke(app, ["against", "HEAD", "--only", "sped"])

    assert result.exit_code == 2
    assert "There is no part 'sped'" in result.output
