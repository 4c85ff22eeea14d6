"""The results of benchmarks, and the table that shows them."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the table: ``value`` is the measured number and ``measured`` its text.

    ``bar``: the requirement. ``met``: whether it is met; None: the row only informs. ``exact``: the
    requirement does not depend on the machine or on the size, such as that no event is lost.
    """

    name: str
    value: float
    measured: str
    compared: str = ""
    bar: str = ""
    met: bool | None = None
    ratio: float | None = None
    exact: bool = False


def build_table(results: Iterable[Result], *, only_exact: bool = False) -> Table:
    """Build the table. ``only_exact``: omit the requirements that small sizes cannot meet."""
    table = Table("what", "measured", "compared with", "ratio", "bar", "met")
    for result in results:
        ratio = "" if result.ratio is None else f"{result.ratio:.0%}"
        applies = result.exact or not only_exact
        met = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[
            result.met if applies else None
        ]
        bar = result.bar if applies else ""
        table.add_row(result.name, result.measured, result.compared, ratio, bar, met)
    return table
