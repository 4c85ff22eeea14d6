"""Every benchmark runs at its smallest size. Nothing is asserted about speed."""

import math
from collections.abc import Iterator

import pytest

from bench.benchmarks import BENCHMARKS, SMALLEST_ONLY
from bench.rig.rig import Rig, open_rig

ALL = {**BENCHMARKS, **SMALLEST_ONLY}


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """One database for all benchmarks: each has workspaces of its own."""
    with open_rig() as rig:
        yield rig


@pytest.mark.parametrize("name", ALL)
def test_a_benchmark_measures_at_its_smallest_size(rig: Rig, name: str) -> None:
    results = ALL[name].measure(rig, smallest=True)

    assert results
    for result in results:
        assert math.isfinite(result.value), result
        assert result.ratio is None or math.isfinite(result.ratio), result
        assert result.met or not result.exact, result
