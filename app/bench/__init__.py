"""The bars of the service, measured: every figure is of one run on one machine."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from app.bench import (
    alerts,
    at_risk,
    causes,
    experiments,
    faults,
    freshness,
    growth,
    ingest,
    models,
    plays,
    reads,
    scorecards,
    suggestions,
    sweep,
    webhooks,
)
from app.bench.results import Result, table
from app.core.errors import UnprocessableError

BENCHMARKS: dict[str, Callable[[], list[Result]]] = {
    "ingest": ingest.run,
    "reads": reads.run,
    "at-risk": at_risk.run,
    "sweep": sweep.run,
    "scorecards": scorecards.run,
    "causes": causes.run,
    "freshness": freshness.run,
    "alerts": alerts.run,
    "concurrency": faults.run_concurrency,
    "kills": faults.run_kills,
    "growth": growth.run,
    "webhooks": webhooks.run,
    "suggestions": suggestions.run,
    "plays": plays.run,
    "experiments": experiments.run,
}


def run_models(folder: Path, console: Console) -> None:
    """Measure the models of churn against the data sets in a folder."""
    with console.status("models"):
        results = models.run(folder)
    console.print(table(results))


def run(only: list[str], console: Console) -> None:
    """Run all benchmarks, or some of them, and print one table."""
    if unknown := set(only) - set(BENCHMARKS):
        known = ", ".join(BENCHMARKS)
        raise UnprocessableError(f"There is no benchmark {min(unknown)}; there are {known}.")
    results: list[Result] = []
    for name, benchmark in BENCHMARKS.items():
        if not only or name in only:
            with console.status(name):
                results += benchmark()
    console.print(table(results))
