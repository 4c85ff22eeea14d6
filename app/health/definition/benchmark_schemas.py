"""API schemas of benchmarks."""

from datetime import date, datetime
from typing import Any, Self

from pydantic import Field

from app.core.schemas import ResponseModel
from app.health.definition.benchmark import Normalizer
from app.health.tables import Benchmark

SHOWN_PERCENTILES = (10, 25, 50, 75, 90)


class BenchmarkSegmentOut(ResponseModel):
    """The benchmark of one segment. Quantiles are of values adjusted for price where possible."""

    segment: str | None = Field(description="Null: the whole workspace.", examples=["smb"])
    normalizer: Normalizer
    accounts: int = Field(description="Accounts in the pool.", examples=[120])
    priced_accounts: int = Field(description="Accounts in the pool with a price.", examples=[110])
    measures: dict[str, dict[str, Any]] = Field(
        description="Elasticity, medians and quantiles by source.",
        examples=[{"reach": {"elasticity": 0.9, "median": 240, "median_per_dollar": 51}}],
    )


class BenchmarkOut(ResponseModel):
    """What the accounts of each segment are compared with in a month. Its content never changes."""

    id: str = Field(examples=["2026-03-5d1f0b7c2a9e"])
    month: date = Field(examples=["2026-03-01"])
    current: bool = Field(
        description="Whether it is the newest one for its month and ranking settings."
    )
    provisional: bool = Field(
        description="Whether it has too little data and is fitted again each day."
    )
    computed_at: datetime = Field(examples=["2026-03-01T00:10:00Z"])
    segments: list[BenchmarkSegmentOut]

    @classmethod
    def from_benchmark(cls, row: Benchmark) -> Self:
        segments = [_segment(row.config[name]) for name in sorted(row.config)]
        return cls.from_row(row, segments=segments)


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
    """Return the value of the first knot at or above each shown percentile, else None."""
    knot_values = list(zip(knots["percentiles"], knots["values"], strict=True))
    return {
        f"p{shown}": next((value for at, value in knot_values if at >= shown), None)
        for shown in SHOWN_PERCENTILES
    }
