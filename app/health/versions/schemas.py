"""API schemas of scorecard versions and simulations."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from app.core.schemas import ResponseModel
from app.health.definition.scorecard import Band, Scorecard

ScorecardVersion = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of the version.")]
ScorecardState = Literal["draft", "active", "retired"]


class ScorecardOut(ResponseModel):
    """One immutable version of the scorecard."""

    version: int = Field(examples=[2])
    state: ScorecardState
    scorecard: Annotated[Scorecard, Field(validation_alias="config")]
    created_at: datetime = Field(examples=["2026-03-01T09:00:00Z"])
    created_by: str = Field(examples=["key:k_1"])
    activated_at: datetime | None = Field(examples=["2026-03-02T09:00:00Z"])
    activated_by: str | None = Field(examples=["key:k_1"])
    retired_at: datetime | None = Field(examples=[None])


class MoverOut(ResponseModel):
    """An account whose score or band would change."""

    account_id: str = Field(examples=["acme"])
    before: float | None = Field(description="Score under the active version.", examples=[61.5])
    after: float | None = Field(description="Score under the simulated version.", examples=[48.0])
    points: float = Field(description="after - before; 0 if either is missing.", examples=[-13.5])
    band_before: Band
    band_after: Band
    mrr_cents: int = Field(examples=[49900])


class SimulationOut(ResponseModel):
    """What would change today if the version were active. Nothing is changed by it."""

    accounts: int = Field(examples=[300])
    scored_before: int = Field(
        description="Accounts with a score under the active version.", examples=[280]
    )
    scored_after: int = Field(
        description="Accounts with a score under the simulated version.", examples=[280]
    )
    spearman: float | None = Field(
        description="Rank correlation of the two sets of scores.", examples=[0.97]
    )
    mean_change: float | None = Field(description="Mean change in points.", examples=[-0.4])
    bands: dict[Band, dict[Band, int]] = Field(
        description="Number of accounts by band before and band after.",
        examples=[{"watch": {"healthy": 3}}],
    )
    movers: list[MoverOut] = Field(description="The 100 accounts with the largest change.")
