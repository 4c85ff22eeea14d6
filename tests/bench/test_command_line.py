import math
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench import benchmarks
from bench.__main__ import app
from bench.results import Result, build_table

RUNNER = CliRunner()


def run(*arguments: str) -> tuple[int, str]:
    """Return the exit code and the output, without the frame and line breaks of an error."""
    result = RUNNER.invoke(app, arguments)
    return result.exit_code, re.sub(r"[│\s]+", " ", result.output)


@pytest.mark.parametrize("arguments", [["--only", "sped"], ["--smallest", "--only", "sped"]])
def test_an_unknown_name_is_refused_with_the_names(arguments: list[str]) -> None:
    code, output = run(*arguments)

    assert code == 2
    assert "There is no benchmark 'sped'. The names are: ingest, " in output


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    code, output = run("models", str(tmp_path / "data"))

    assert code == 2
    assert "does not exist" in output


def test_named_benchmarks_run_in_the_order_of_the_list() -> None:
    assert list(benchmarks.choose(["sweep", "ingest"], smallest=False)) == ["ingest", "sweep"]
    assert list(benchmarks.choose([], smallest=False)) == list(benchmarks.BENCHMARKS)


def test_the_table_of_small_sizes_has_only_the_requirements_that_always_apply() -> None:
    results = [
        Result("speed", math.pi, "3 s", "", "≤ 2 s", met=False),
        Result("events", 5, "5 stored", "5 sent", "equal", met=True, exact=True),
    ]
    *_, bars, met = build_table(results, only_exact=True).columns

    assert list(bars.cells) == ["", "equal"]
    assert list(met.cells) == ["", "[green]yes[/]"]
