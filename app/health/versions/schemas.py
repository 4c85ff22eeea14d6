"""The wire of scorecards, simulations, benchmarks and overrides."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from app.core.schemas import Day, RequestModel, ResponseModel, Text, Timestamp
from app.health.definition.benchmark import Normalizer
from app.health.definition.scorecard import Band, Scorecard
from app.health.tables import Benchmark

ScorecardState = Literal["draft", "active", "retired"]


class ScorecardOut(ResponseModel):
    """One immutable version."""

    version: int = Field(examples=[2])
    state: ScorecardState
    scorecard: Annotated[Scorecard, Field(validation_alias="config")]
    created_at: datetime
    created_by: str = Field(examples=["key:k_1"])
    activated_at: datetime | None
    activated_by: str | None = Field(examples=["key:k_1"])
    retired_at: datetime | None


class MoverOut(ResponseModel):
    """An account that would move."""

    account_id: str = Field(examples=["acme"])
    before: float | None = Field(examples=[61.5])
    after: float | None = Field(examples=[48.0])
    points: float = Field(examples=[-13.5])
    band_before: Band
    band_after: Band
    mrr_cents: int = Field(examples=[49900])


class SimulationOut(ResponseModel):
    """What would change if a version held today. Nothing has changed."""

    accounts: int = Field(examples=[300])
    scored_before: int = Field(examples=[280])
    scored_after: int = Field(examples=[280])
    spearman: float | None = Field(
        description="Rank correlation with today's scores.", examples=[0.97]
    )
    mean_change: float | None = Field(examples=[-0.4])
    bands: dict[Band, dict[Band, int]] = Field(
        description="How many accounts go from which band to which.",
        examples=[{"watch": {"healthy": 3}}],
    )
    movers: list[MoverOut] = Field(description="The 100 that move furthest.")


class RestateIn(RequestModel):
    """Which days are to be scored again."""

    since: Day = Field(examples=["2026-01-01"])
    until: Day = Field(description="The last of them; before today.", examples=["2026-03-31"])


class RestatementOut(ResponseModel):
    """History told anew; ask the job how far it is."""

    number: int = Field(examples=[1])
    scorecard_version: int = Field(examples=[2])
    since: date
    until: date
    job_id: str = Field(examples=["job_019aa1b2c3d4e5f60718293a"])
    created_at: datetime
    created_by: str = Field(examples=["key:k_1"])


class BenchmarkSegmentOut(BaseModel):
    """What the accounts of one segment looked like. Quantiles are of the value for the price."""

    segment: str | None = Field(description="Null: the whole workspace.", examples=["smb"])
    normalizer: Normalizer
    accounts: int = Field(examples=[120])
    priced_accounts: int = Field(examples=[110])
    measures: dict[str, dict[str, Any]] = Field(
        examples=[{"reach": {"elasticity": 0.9, "median": 240, "median_per_dollar": 51}}]
    )


class BenchmarkOut(ResponseModel):
    """A benchmark and since when it holds. It is never changed; another takes its place."""

    id: str = Field(examples=["2026-03-5d1f0b7c2a9e"])
    month: date
    current: bool = Field(description="Whether it is the newest for its month and meaning.")
    provisional: bool = Field(description="Built of too little: fitted again each day.")
    computed_at: datetime
    segments: list[BenchmarkSegmentOut]

    @classmethod
    def of(cls, row: Benchmark) -> Self:
        segments = [_segment(row.config[name]) for name in sorted(row.config)]
        return cls.from_row(row, segments=segments)


SHOWN_QUANTILES = (10, 25, 50, 75, 90)


def _segment(config: dict[str, Any]) -> BenchmarkSegmentOut:
    measures = {
        name: {
            "elasticity": fitted["elasticity"],
            "median": fitted["median"],
            "median_per_dollar": fitted["median_per_dollar"],
            "quantiles": _quantiles(
                fitted["priced"] if fitted["priced"]["values"] else fitted["plain"]
            ),
        }
        for name, fitted in config["measures"].items()
    }
    return BenchmarkSegmentOut(
        segment=config["segment"] or None,
        normalizer=config["normalizer"],
        accounts=config["accounts"],
        priced_accounts=config["priced_accounts"],
        measures=measures,
    )


def _quantiles(knots: dict[str, list[float]]) -> dict[str, float | None]:
    """Read values off the knots at a few percentiles; None where even the smallest is above."""
    found = {}
    for wanted in SHOWN_QUANTILES:
        above = [i for i, place in enumerate(knots["percentiles"]) if place >= wanted]
        found[f"p{wanted}"] = knots["values"][above[0]] if above else None
    return found


class OverrideIn(RequestModel):
    """What to say instead of the score."""

    value: float = Field(ge=0, le=100, allow_inf_nan=False, examples=[80])
    reason: Text = Field(examples=["They signed for two more years yesterday."])
    expires_at: Timestamp = Field(examples=["2026-06-30T00:00:00Z"])
    author: Text | None = Field(
        None, description="Who says so; null: the API key.", examples=["kim@example.com"]
    )


class OverrideOut(ResponseModel):
    account_id: str = Field(examples=["acme"])
    value: float = Field(examples=[80.0])
    reason: str = Field(examples=["They signed for two more years yesterday."])
    author: str = Field(examples=["kim@example.com"])
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None = Field(examples=["expiry"])


class DisagreementOut(OverrideOut):
    """An override beside what the machine says now."""

    name: str | None = Field(examples=["Acme Ltd"])
    machine_value: float | None = Field(examples=[31.2])
    difference: float | None = Field(description="Override less machine.", examples=[48.8])

    @classmethod
    def of(
        cls,
        row: Any,  # noqa: ANN401 - of the table
        name: str | None,
        machine: float | None,
        difference: float | None,
    ) -> Self:
        return cls.from_row(row, name=name, machine_value=machine, difference=difference)
