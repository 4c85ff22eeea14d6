"""Past scores as they were judged: each row of history with the card and the peers of its day."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.features.values import AccountFeatures
from app.health.definition import benchmark_queries
from app.health.definition.benchmark import Benchmark
from app.health.definition.score_definition import Definition
from app.health.explanations.explain import (
    AccountEvaluation,
    ScoredDay,
    evaluate_account,
    evaluate_with_settings_of,
)
from app.health.scoring.post_processing import Override
from app.health.tables import HealthHistory

ROUNDING_TOLERANCE = 0.001


@dataclass(frozen=True, slots=True)
class ScoreSnapshot:
    """A day as it is in the history; without ``side`` it cannot be compared."""

    row: HealthHistory
    definition: Definition | None
    side: ScoredDay | None


@dataclass
class SnapshotReader:
    """Reads definitions and benchmarks once for all rows that are told from it."""

    session: Session
    workspace_id: str
    _definitions: dict[str, Definition | None] = field(default_factory=dict)
    _benchmarks: dict[str, dict[str, Benchmark] | None] = field(default_factory=dict)

    def told(self, row: HealthHistory | None) -> ScoreSnapshot | None:
        if row is None:
            return None
        definition = self._definition(row.details.get("definition"))
        return ScoreSnapshot(row, definition, self._side(row, definition) if definition else None)

    def _side(self, row: HealthHistory, definition: Definition) -> ScoredDay | None:
        """Bring back what a score was made of; None: there is none, or it cannot be had again."""
        details = row.details
        machine = details["machine"]["value"] if details.get("machine") else row.score
        benchmarks = self._peers(details.get("benchmark_id"))
        if row.score is None or machine is None or "inputs" not in details or benchmarks is None:
            return None
        side = ScoredDay(
            as_of=date.fromisoformat(details["inputs_on"]),
            features=AccountFeatures.from_json(details["inputs"]),
            definition=definition,
            benchmarks=benchmarks,
            card_name=details["card"],
            override=_override(details.get("override")),
        )
        return side if abs(evaluate_account(side).value - machine) < ROUNDING_TOLERANCE else None

    def _definition(self, digest: str | None) -> Definition | None:
        if digest is None:
            return None
        if digest not in self._definitions:
            found = benchmark_queries.find_definition(self.session, self.workspace_id, digest)
            self._definitions[digest] = found
        return self._definitions[digest]

    def _peers(self, benchmark_id: str | None) -> dict[str, Benchmark] | None:
        if benchmark_id is None:
            return None
        if benchmark_id not in self._benchmarks:
            row = benchmark_queries.find_benchmark(self.session, self.workspace_id, benchmark_id)
            found = benchmark_queries.StoredBenchmarks.of(row).benchmarks if row else None
            self._benchmarks[benchmark_id] = found
        return self._benchmarks[benchmark_id]


def evaluate_with_earlier_settings(
    before: ScoreSnapshot, after: ScoreSnapshot
) -> AccountEvaluation | None:
    """Say how an account would stand now under the settings and peers of before."""
    if before.side is None or after.side is None:
        return None
    return evaluate_with_settings_of(before.side, after.side)


def _override(said: dict[str, Any] | None) -> Override | None:
    if said is None:
        return None
    return Override(**{**said, "expires_at": datetime.fromisoformat(said["expires_at"])})
