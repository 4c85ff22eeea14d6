"""Load past scores with the definition, the benchmarks and the inputs of their day."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.features.values import AccountFeatures
from app.health.definition import benchmark_queries
from app.health.definition.benchmark import Benchmark
from app.health.definition.score_definition import Definition
from app.health.definition.scorecard import Scorecard
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
    """Loads snapshots; each definition, each benchmark and the plans are read once for all rows."""

    def __init__(self, session: Session, workspace_id: str) -> None:
        self._key = (session, workspace_id)
        self._definitions: dict[str, Definition | None] = {"": None}
        self._benchmarks: dict[str, Mapping[str, Benchmark] | None] = {"": None}
        self._plan_names: dict[str, str] = {}
        self._active: Scorecard | None = None

    @property
    def active_scorecard(self) -> Scorecard:
        """The scorecard of today, which no stored score needs: read with what they need."""
        if self._active is None:
            self._load((), ())
        return self._active or Scorecard()

    def read(self, row: HealthHistory) -> ScoreSnapshot:
        return self.read_all([row])[0]

    def read_all(self, rows: Collection[HealthHistory]) -> list[ScoreSnapshot]:
        """Read many rows with one statement."""
        digests = {row.details.get("definition") or "" for row in rows} - self._definitions.keys()
        ids = {row.details.get("benchmark_id") or "" for row in rows} - self._benchmarks.keys()
        if digests or ids:
            self._load(digests, ids)
        return [self._snapshot(row) for row in rows]

    def _load(self, digests: Collection[str], benchmark_ids: Collection[str]) -> None:
        self._definitions |= dict.fromkeys(digests)
        self._benchmarks |= dict.fromkeys(benchmark_ids)
        self._active = Scorecard()
        for kind, key, content in benchmark_queries.load_scoring_rows(
            *self._key, digests, benchmark_ids
        ):
            if kind == "definition":
                self._definitions[key] = Definition.from_json(content)
            elif kind == "benchmark":
                self._benchmarks[key] = benchmark_queries.parse_benchmarks(content)
            elif kind == "scorecard":
                self._active = Scorecard.model_validate(content)
            else:
                self._plan_names[key] = content

    def _snapshot(self, row: HealthHistory) -> ScoreSnapshot:
        definition = self._definitions[row.details.get("definition") or ""]
        scored_day = self._scored_day(row, definition) if definition else None
        return ScoreSnapshot(row, definition, scored_day)

    def _scored_day(self, row: HealthHistory, definition: Definition) -> ScoredDay | None:
        """Return what a score was computed from; None if there is no score or the data is gone.

        None too if the score computed again differs from the stored one.
        """
        details = row.details
        machine = details["machine"]["value"] if details.get("machine") else row.score
        benchmarks = self._benchmarks[details.get("benchmark_id") or ""]
        if row.score is None or machine is None or "inputs" not in details or benchmarks is None:
            return None
        day = ScoredDay(
            as_of=date.fromisoformat(details["inputs_on"]),
            features=AccountFeatures.from_json(details["inputs"]),
            definition=definition,
            benchmarks=benchmarks,
            card_name=details["card"],
            override=_override(details.get("override")),
            plan_names=self._plan_names,
        )
        return day if abs(evaluate_account(day).value - machine) < ROUNDING_TOLERANCE else None


def _override(stored: dict[str, Any] | None) -> Override | None:
    if stored is None:
        return None
    return Override(**{**stored, "expires_at": datetime.fromisoformat(stored["expires_at"])})
