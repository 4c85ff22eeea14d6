"""The command line of the fault suite: ``python -m tests.faults``."""

from random import SystemRandom
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console

from app.core import logs
from tests.faults.scenarios import SCENARIOS, SHORT
from tests.faults.suite import build_table, describe_failures, run

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
console = Console(width=140)


@app.command()
def main(
    *,
    seed: Annotated[
        int | None, typer.Option(help="Repeats the choices of a run; a new one each time.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="The name of a scenario; repeatable.")
    ] = None,
    short: Annotated[
        bool, typer.Option("--short", help="The scenarios of `make check`, at their size.")
    ] = False,
) -> None:
    """Break the service in every way of the table, and count what it loses, doubles or garbles."""
    names = SHORT if short else list(SCENARIOS)
    if unknown := {*(only or [])} - {*names}:
        known = ", ".join(names)
        raise typer.BadParameter(f"There is no scenario {min(unknown)!r}. The names are: {known}.")
    seed = SystemRandom().randrange(1_000_000) if seed is None else seed
    console.print(f"seed {seed}")
    began, reports = monotonic(), []
    for name in [name for name in names if not only or name in only]:
        with console.status(name):
            reports.append(run(name, seed=seed, short=short))
        if len(names) > 1:
            console.print(f"{name}: {reports[-1].seconds:.0f} s")
        for line in [*reports[-1].measured, *describe_failures(reports[-1])]:
            console.print(line, markup=False)
    console.print(build_table(reports))
    console.print(f"{monotonic() - began:.0f} s, seed {seed}")
    if any(report.has_failed for report in reports):
        raise typer.Exit(1)


if __name__ == "__main__":
    logs.configure("warning")
    app()
