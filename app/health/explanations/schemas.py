"""The wire of explanations."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from app.core.languages import Language
from app.core.schemas import ResponseModel
from app.health.definition.scorecard import Band
from app.health.explanations.explain import EffectKind
from app.health.scoring.assess import HealthStatus


class ExplainedDay(BaseModel):
    """How the account stood on one of the two days."""

    as_of: date
    value: float | None = Field(examples=[61.5])
    band: Band
    status: HealthStatus
    coverage: float = Field(examples=[1.0])
    scorecard_version: int | None = Field(examples=[1])
    benchmark_id: str | None = Field(examples=["2026-03-5d1f0b7c2a9e"])
    restatement: int = Field(description="0: as it was first written.", examples=[0])


class ScoreLevelRow(ResponseModel):
    """What one measure adds to the score of the later day, and what it leaves out."""

    name: str = Field(examples=["reach"])
    effective_weight: float = Field(examples=[0.2857])
    score: float | None = Field(examples=[41.2])
    points: float = Field(examples=[11.77])
    points_missed: float = Field(examples=[16.8])
    raw: float | None = Field(examples=[190])
    per_dollar: float | None = Field(description="For each $100.", examples=[38.0])
    median: float | None = Field(description="Of the benchmark.", examples=[240])
    median_per_dollar: float | None = Field(examples=[51.0])
    sentence: str = Field(
        examples=["Reach: 190 end customers; it gives 11.8 of 28.6 points."],
    )


class ScoreChangeRow(BaseModel):
    """Points of one kind, in one sentence. All rows add up to the difference."""

    kind: EffectKind
    measure: str | None = Field(examples=["reach"])
    points: float = Field(examples=[-9.1])
    before: float | None = Field(description="The measure's raw value.", examples=[412])
    after: float | None = Field(examples=[190])
    sentence: str = Field(examples=["Reach fell from 412 to 190 end customers: −9.1 points."])  # noqa: RUF001


class ScoreChange(BaseModel):
    """``not_comparable``: a day has no score, or one that cannot be made again of what was kept."""

    status: Literal["comparable", "not_comparable"]
    points: float | None = Field(examples=[-9.1])
    sentence: str = Field(
        examples=["From 2026-02-18 to 2026-03-18 the score fell from 61.5 to 52.4: −9.1 points."]  # noqa: RUF001
    )
    rows: list[ScoreChangeRow]


class ExplanationOut(BaseModel):
    account_id: str = Field(examples=["acme"])
    language: Language
    before: ExplainedDay | None = Field(description="Null: no score was written by then.")
    after: ExplainedDay | None
    level: list[ScoreLevelRow]
    change: ScoreChange
