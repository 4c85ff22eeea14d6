"""The command line of the benchmarks: ``python -m bench``."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.core import logs
from app.core.errors import UnprocessableError
from bench import against, benchmarks
from bench.results import Result, build_table
from bench.rig import trees

app = typer.Typer(
    help="Measure this machine: every figure stands beside a reference of the same run.",
    pretty_exceptions_enable=False,
    add_completion=False,
)
console = Console()


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    only: Annotated[
        list[str] | None, typer.Option(help="The name of a benchmark; repeatable.")
    ] = None,
    *,
    smallest: Annotated[
        bool, typer.Option("--smallest", help="Only show that the benchmarks work.")
    ] = False,
) -> None:
    """Run the benchmarks that --only names, by default all of them, and print one table."""
    if context.invoked_subcommand is not None:
        return
    try:
        chosen = benchmarks.choose(only or [], smallest=smallest)
    except UnprocessableError as error:
        raise typer.BadParameter(error.detail, param_hint="--only") from None
    measure = benchmarks.measure_smallest if smallest else benchmarks.measure_full
    _show(lambda report: measure(chosen, report), only_exact=smallest)


@app.command()
def models(
    data: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The folder of the data sets.")
    ],
) -> None:
    """Measure the churn models, each figure beside a reference on the same split."""
    chosen = {"models": benchmarks.models_benchmark(data)}
    _show(lambda report: benchmarks.measure_full(chosen, report))


@app.command(name="against")
def compare(
    revision: Annotated[str, typer.Argument(help="The commit to compare with, such as main~10.")],
    only: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(against.PARTS)}; repeatable.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each part.")] = against.FULL.rounds,
) -> None:
    """Put this tree and a commit under the same load in turn, and print the ratios."""
    if unknown := set(only or ()) - set(against.PARTS):
        raise typer.BadParameter(
            f"There is no part {min(unknown)!r}. The parts are: {', '.join(against.PARTS)}.",
            param_hint="--only",
        )
    try:
        other = trees.tree_of(revision)
    except UnprocessableError as error:
        raise typer.BadParameter(error.detail) from None
    pairs = against.compare(other, trees.THIS, only or (), replace(against.FULL, rounds=rounds))
    console.print(against.build_table(pairs, other, trees.THIS))


def _show(
    measure: Callable[[benchmarks.Progress], Sequence[Result]], *, only_exact: bool = False
) -> None:
    """Print the results. Exit with 1 if a requirement is not met that holds on any machine."""
    with console.status("starting") as status:
        results = measure(status.update)
    console.print(build_table(results, only_exact=only_exact))
    if any(result.exact and not result.met for result in results):
        raise typer.Exit(1)


if __name__ == "__main__":
    logs.configure("warning")
    app()
