"""Explanations in the API."""

from datetime import date
from typing import Literal, Self

from pydantic import Field

from app.core.languages import Language
from app.core.schemas import ResponseModel
from app.health.definition.scorecard import Band
from app.health.explanations.explain import EffectKind
from app.health.scoring.assess import HealthStatus
from app.health.tables import HealthHistory


class ExplainedDay(ResponseModel):
    """The score of the account on one of the two days."""

    as_of: date = Field(examples=["2026-03-18"])
    value: float | None = Field(examples=[61.5])
    band: Band
    status: HealthStatus
    coverage: float = Field(examples=[1.0])
    scorecard_version: int | None = Field(examples=[1])
    benchmark_id: str | None = Field(examples=["2026-03-5d1f0b7c2a9e"])
    restatement: int = Field(description="0 for a score that was never restated.", examples=[0])

    @classmethod
    def from_history(cls, row: HealthHistory) -> Self:
        details = {name: row.details.get(name) for name in ("scorecard_version", "benchmark_id")}
        return cls.from_row(row, value=row.score, **details)


class ScoreLevelRow(ResponseModel):
    """The points that one measure gives to the score of the later day, and those it misses."""

    name: str = Field(examples=["reach"])
    effective_weight: float = Field(examples=[0.2857])
    score: float | None = Field(examples=[41.2])
    points: float = Field(examples=[11.77])
    points_missed: float = Field(examples=[16.8])
    raw: float | None = Field(description="The measured number.", examples=[190])
    per_dollar: float | None = Field(
        description="The number per $100 of monthly price.", examples=[38.0]
    )
    median: float | None = Field(description="The median of the benchmark.", examples=[240])
    median_per_dollar: float | None = Field(examples=[51.0])
    sentence: str = Field(
        examples=["Reach: 190 end customers; it gives 11.8 of 28.6 points."],
    )


class ScoreChangeRow(ResponseModel):
    """The points of one effect, with a sentence. All rows add up to the difference."""

    kind: EffectKind
    measure: str | None = Field(examples=["reach"])
    points: float = Field(examples=[-9.1])
    shown_points: float = Field(
        description="The points with one decimal, as the sentence shows them. All rows add up to"
        " the difference of the scores with one decimal.",
        examples=[-9.1],
    )
    before: float | None = Field(
        description="The raw value of the measure on the first day.", examples=[412]
    )
    after: float | None = Field(
        description="The raw value of the measure on the last day.", examples=[190]
    )
    sentence: str = Field(examples=["Reach fell from 412 to 190 end customers: −9.1 points."])  # noqa: RUF001


class ScoreChange(ResponseModel):
    """The change of the score between the two days.

    ``not_comparable``: a day has no score, or its score cannot be computed again from the stored
    data.
    """

    status: Literal["comparable", "not_comparable"]
    points: float | None = Field(examples=[-9.1])
    sentence: str = Field(
        examples=["From 2026-02-18 to 2026-03-18 the score fell from 61.5 to 52.4: −9.1 points."]  # noqa: RUF001
    )
    rows: list[ScoreChangeRow]


class ExplanationOut(ResponseModel):
    """The level of a score, and its change between two days."""

    account_id: str = Field(examples=["acme"])
    language: Language
    before: ExplainedDay | None = Field(description="Null if there was no score by that day.")
    after: ExplainedDay | None
    level: list[ScoreLevelRow]
    change: ScoreChange
