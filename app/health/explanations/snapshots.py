"""Load past scores with the definition, the benchmarks and the inputs of their day."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.catalog.tables import Plan
from app.core.row_queries import load_names
from app.features.values import AccountFeatures
from app.health.definition import benchmark_queries
from app.health.definition.benchmark import Benchmark
from app.health.definition.score_definition import Definition
from app.health.explanations.explain import ScoredDay, evaluate_account
from app.health.scoring.post_processing import Override
from app.health.tables import HealthHistory

ROUNDING_TOLERANCE = 0.001
"""Points by which a score that is computed again may differ from the stored one."""


@dataclass(frozen=True, slots=True)
class ScoreSnapshot:
    """A row of the score history, with what the score was computed from.

    ``scored_day``: None if the score cannot be computed again, so that it is not comparable.
    """

    row: HealthHistory
    definition: Definition | None
    scored_day: ScoredDay | None


class SnapshotReader:
    """Loads snapshots; definitions and benchmarks are read once for all rows."""

    def __init__(self, session: Session, workspace_id: str) -> None:
        self._key = key = (session, workspace_id)
        self._find_definition = cache(partial(benchmark_queries.find_definition, *key))
        self._find_benchmarks = cache(partial(_find_benchmarks, *key))
        self._load_plan_names = cache(partial(load_names, *key, Plan))

    def read(self, row: HealthHistory) -> ScoreSnapshot:
        digest = row.details.get("definition")
        definition = self._find_definition(digest) if digest else None
        scored_day = self._scored_day(row, definition) if definition else None
        return ScoreSnapshot(row, definition, scored_day)

    def read_all(self, rows: Collection[HealthHistory]) -> list[ScoreSnapshot]:
        """Read many rows with three statements."""
        names = ("definition", "benchmark_id")
        digests, ids = ({row.details.get(name) or "" for row in rows} for name in names)
        held = benchmark_queries.load_scoring_rows(*self._key, digests, ids)
        snapshots = [self.read(row) for row in rows]
        del held
        return snapshots

    def _scored_day(self, row: HealthHistory, definition: Definition) -> ScoredDay | None:
        """Return what a score was computed from; None if there is no score or the data is gone.

        None too if the score computed again differs from the stored one.
        """
        details, benchmark_id = row.details, row.details.get("benchmark_id")
        machine = details["machine"]["value"] if details.get("machine") else row.score
        benchmarks = self._find_benchmarks(benchmark_id) if benchmark_id else None
        if row.score is None or machine is None or "inputs" not in details or benchmarks is None:
            return None
        day = ScoredDay(
            as_of=date.fromisoformat(details["inputs_on"]),
            features=AccountFeatures.from_json(details["inputs"]),
            definition=definition,
            benchmarks=benchmarks,
            card_name=details["card"],
            override=_override(details.get("override")),
            plan_names=self._load_plan_names(),
        )
        return day if abs(evaluate_account(day).value - machine) < ROUNDING_TOLERANCE else None


def _find_benchmarks(
    session: Session, workspace_id: str, benchmark_id: str
) -> Mapping[str, Benchmark] | None:
    row = benchmark_queries.find_benchmark(session, workspace_id, benchmark_id)
    return benchmark_queries.StoredBenchmarks.from_row(row).benchmarks if row else None


def _override(stored: dict[str, Any] | None) -> Override | None:
    if stored is None:
        return None
    return Override(**{**stored, "expires_at": datetime.fromisoformat(stored["expires_at"])})
