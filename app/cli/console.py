"""What commands print: text and progress bars."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

console = Console(highlight=False)


def print_table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; into a pipe or file, whole lines with a tab between two cells."""
    if not console.is_terminal:
        for row in (names, *rows):
            typer.echo("\t".join(row))  # rich would make spaces of tabs
        return
    table = Table()
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def progress_bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )


def file_bar(progress: Progress) -> Callable[[Mapping[str, Any]], None]:
    """Add a bar that moves with the bytes of a file that have been read."""
    task = progress.add_task("importing", total=None, note="")

    def advance(done: Mapping[str, Any]) -> None:
        speed = done["rows"] / max(done["seconds"], 0.001)
        note = f"{done['rows']:,} rows, {speed:,.0f}/s"
        progress.update(task, completed=done["bytes"], total=done["bytes_total"], note=note)

    return advance


def step_bars(progress: Progress) -> Callable[[str, int, int], None]:
    """Add a bar for each kind of step when its first step is done."""
    tasks: dict[str, TaskID] = {}

    def advance(step: str, done: int, total: int) -> None:
        if step not in tasks:
            tasks[step] = progress.add_task(step, total=total, note="")
        progress.update(tasks[step], completed=done)

    return advance
