"""The list of benchmarks, each with its sizes, and how they are run."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from app.core.errors import UnprocessableError
from bench import (
    alerts,
    at_risk,
    controls,
    dialects,
    experiments,
    freshness,
    growth,
    ingest,
    live,
    models,
    pages,
    reads,
    scorecards,
    sort_values,
    suggestions,
    sweep,
    today,
    webhooks,
)
from bench.demo import causes, churn_risk, plays, worlds
from bench.results import Result
from bench.rig import probing
from bench.rig.rig import Rig, open_rig

SizesT = TypeVar("SizesT")
Progress = Callable[[str], None]
"""Called with the name of the benchmark that starts."""


@dataclass(frozen=True, slots=True)
class Benchmark(Generic[SizesT]):
    """A function that measures, and its sizes. ``smallest`` only shows that it works."""

    run: Callable[[Rig, SizesT], list[Result]]
    full: SizesT
    smallest: SizesT

    def measure(self, rig: Rig, *, smallest: bool) -> list[Result]:
        return self.run(rig, self.smallest if smallest else self.full)


BENCHMARKS: Mapping[str, Benchmark[Any]] = {
    "ingest": Benchmark(ingest.run, ingest.FULL, ingest.SMALLEST),
    "dialects": Benchmark(dialects.run, dialects.FULL, dialects.SMALLEST),
    "growth": Benchmark(growth.run, growth.FULL, growth.SMALLEST),
    "webhooks": Benchmark(webhooks.run, webhooks.FULL, webhooks.SMALLEST),
    "freshness": Benchmark(freshness.run, probing.FULL, probing.SMALLEST),
    "alerts": Benchmark(alerts.run, alerts.FULL, alerts.SMALLEST),
    "reads": Benchmark(reads.run, reads.FULL, reads.SMALLEST),
    "at-risk": Benchmark(at_risk.run, at_risk.FULL, at_risk.SMALLEST),
    "today": Benchmark(today.run, today.FULL, today.SMALLEST),
    "live": Benchmark(live.run, live.FULL, live.SMALLEST),
    "pages": Benchmark(pages.run, pages.FULL, pages.SMALLEST),
    "sweep": Benchmark(sweep.run, sweep.FULL, sweep.SMALLEST),
    "scorecards": Benchmark(scorecards.run, scorecards.FULL, scorecards.SMALLEST),
    "sort-values": Benchmark(sort_values.run, sort_values.FULL, sort_values.SMALLEST),
    "suggestions": Benchmark(suggestions.run, suggestions.FULL, suggestions.SMALLEST),
    "causes": Benchmark(causes.run, worlds.FULL, worlds.SMALLEST),
    "plays": Benchmark(plays.run, worlds.FULL, worlds.SMALLEST),
    "demo-risk": Benchmark(churn_risk.run, churn_risk.FULL, churn_risk.SMALLEST),
    "experiments": Benchmark(experiments.run, experiments.FULL, experiments.SMALLEST),
    "controls": Benchmark(controls.run, controls.FULL, controls.SMALLEST),
}
"""In the order in which they run.

With one database for all, the order saves time: every worker trains a model for each workspace that
has a history by then.
"""

SMALLEST_ONLY: Mapping[str, Benchmark[Any]] = {
    "models": Benchmark(models.run_with_sample_data, models.SMALLEST, models.SMALLEST)
}
"""At full size, ``models`` needs a folder with data sets that are not in the repository."""


def models_benchmark(folder: Path) -> Benchmark[models.Sizes]:
    """Return the benchmark of the churn models with the data sets of a folder."""
    return Benchmark(partial(models.run, folder=folder), models.FULL, models.SMALLEST)


def choose(names: Collection[str], *, smallest: bool) -> Mapping[str, Benchmark[Any]]:
    """Return the named benchmarks in their order; without names, all of them."""
    known = {**BENCHMARKS, **SMALLEST_ONLY} if smallest else BENCHMARKS
    if unknown := set(names) - set(known):
        raise UnprocessableError(
            f"There is no benchmark {min(unknown)!r}. The names are: {', '.join(known)}."
        )
    return {name: each for name, each in known.items() if not names or name in names}


def measure_full(
    benchmarks: Mapping[str, Benchmark[Any]], report_progress: Progress
) -> list[Result]:
    """Run each benchmark at full size with a database of its own."""
    results = []
    for name, benchmark in benchmarks.items():
        report_progress(name)
        with open_rig() as rig:
            results += benchmark.measure(rig, smallest=False)
    return results


def measure_smallest(
    benchmarks: Mapping[str, Benchmark[Any]], report_progress: Progress
) -> list[Result]:
    """Run all benchmarks at their smallest size with one database."""
    results = []
    with open_rig() as rig:
        for name, benchmark in benchmarks.items():
            report_progress(name)
            results += benchmark.measure(rig, smallest=True)
    return results
