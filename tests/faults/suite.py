"""Run scenarios and report them in one table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic

from rich.table import Table

from tests.faults.ledger import Outcome, compare
from tests.faults.scenarios import SCENARIOS, Run
from tests.faults.stand import NotRunError, Stand, open_stand

SHOWN = 5
COLUMNS = ("acked", "stored", "counted", "delivered", "lost", "doubled", "unexpected", "recovered")


@dataclass(frozen=True, slots=True)
class Report:
    """``outcome``: None if the machine cannot run the scenario, for the reason in ``not_run``.

    ``recovered``: seconds until an event that was sent after the fault was stored, scored and
    delivered. ``seconds``: what the scenario took. ``measured``: sentences with figures.
    """

    name: str
    outcome: Outcome | None
    recovered: float
    seconds: float
    not_run: str = ""
    measured: Sequence[str] = ()

    @property
    def has_failed(self) -> bool:
        return self.outcome is not None and not self.outcome.held


def run(name: str, *, seed: int, short: bool) -> Report:
    """Run a scenario on a stand of its own, and compare."""
    scenario, began = SCENARIOS[name], monotonic()
    try:
        with scenario.place() as place, open_stand(name, seed, place) as stand:
            outcome = _run_on(stand, scenario.short if short and scenario.short else scenario.run)
            seconds = monotonic() - began
            return Report(name, outcome, stand.recovered, seconds, measured=stand.measured)
    except NotRunError as error:
        return Report(name, None, 0, monotonic() - began, str(error))


def _run_on(stand: Stand, scenario: Run) -> Outcome:
    try:
        scenario(stand)
    except NotRunError:
        raise
    except Exception as error:  # noqa: BLE001 - what is lost by now is reported all the same
        stand.unexpected.append(f"the scenario ended early: {error!r}")
    stand.settle()
    for each in stand.started:
        if not each.has_ended:
            stand.stop(each)
    return compare(stand.evidence())


def build_table(reports: Iterable[Report]) -> Table:
    """Build the table of the words of the suite."""
    table = Table("scenario", *COLUMNS, "took")
    for report in reports:
        table.add_row(report.name, *_cells(report), f"{report.seconds:.0f} s")
    return table


def _cells(report: Report) -> Sequence[str]:
    outcome = report.outcome
    if outcome is None:
        return [f"not run: {report.not_run}"] + [""] * (len(COLUMNS) - 1)
    wrong = (outcome.lost, outcome.doubled, outcome.unexpected)
    return [
        *(f"{n:,}" for n in (outcome.acked, outcome.stored, outcome.counted, outcome.delivered)),
        *(f"[red]{len(each)}[/]" if each else "0" for each in wrong),
        f"{report.recovered:.1f} s",
    ]


def describe_failures(report: Report) -> list[str]:
    """Return sentences that say what was lost, doubled or unexpected, the first few of each."""
    outcome = report.outcome
    if outcome is None:
        return []
    kinds = {"lost": outcome.lost, "doubled": outcome.doubled, "unexpected": outcome.unexpected}
    return [
        f"{report.name}: {kind}: {sentence}"
        for kind, sentences in kinds.items()
        for sentence in sorted(sentences)[:SHOWN]
    ]
