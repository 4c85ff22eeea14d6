"""What the benchmarks found, as one table."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Result:
    """One line; ``met`` is None where it only informs."""

    what: str
    measured: str
    compared: str = ""
    bar: str = ""
    met: bool | None = None
    ratio: float | None = None


def table(results: Iterable[Result]) -> Table:
    made = Table("what", "measured", "compared with", "ratio", "bar", "met")
    for result in results:
        ratio = "" if result.ratio is None else f"{result.ratio:.0%}"
        met = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[result.met]
        made.add_row(result.what, result.measured, result.compared, ratio, result.bar, met)
    return made
