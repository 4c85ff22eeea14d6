from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from app.core.schemas import ResponseModel
from app.health.definition.scorecard import Band


class MovedAccount(ResponseModel):
    """An account whose score moved, with the effect that moved it the most."""

    direction: Literal["up", "down"]
    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme Corp"])
    owner: str | None = Field(examples=["kim@example.com"])
    score: float = Field(examples=[41.5])
    points: float = Field(description="The score now less the score then.", examples=[-12.5])
    band: Band
    band_before: Band | None = Field(examples=["healthy"])
    arr_cents: int | None = Field(examples=[1996000])
    reason: str | None = Field(
        description="Null: the score of that time cannot be computed again.",
        examples=["Depth fell from 12 to 5 users: -9.8 points."],
    )


class MoversOut(ResponseModel):
    """The largest moves up first, then the largest moves down."""

    csv_rows: ClassVar[tuple[str, ...]] = ("movers",)

    days: int = Field(examples=[7])
    until: date
    movers: list[MovedAccount]
