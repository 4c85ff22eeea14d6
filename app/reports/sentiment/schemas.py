from datetime import datetime
from typing import ClassVar

from pydantic import Field

from app.collaboration.agreement import Agreement
from app.core.schemas import ResponseModel
from app.health.definition.scorecard import Band


class VerdictOut(ResponseModel):
    """How often the owner was right when owner and score disagreed."""

    n: int = Field(description="Disagreements with a known outcome.", examples=[24])
    owner_right: int = Field(examples=[18])
    score_right: int = Field(examples=[6])
    unknown: int = Field(description="Without a score at the end of the horizon.", examples=[1])
    share: float | None = Field(description="owner_right / n.", examples=[0.75])
    low: float | None = Field(description="Exact 95 % interval of the share.", examples=[0.5329])
    high: float | None = Field(examples=[0.9023])


class SentimentDisagreement(ResponseModel):
    """An account about which its owner and its score disagree now."""

    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme Corp"])
    owner: str | None = Field(examples=["kim@example.com"])
    direction: Agreement
    value: int = Field(description="The newest sentiment, 1 to 5.", examples=[5])
    reason: str = Field(examples=["Their director praised us yesterday."])
    author: str = Field(examples=["kim@example.com"])
    at: datetime
    age_days: int = Field(examples=[12])
    score: float | None = Field(examples=[21.5])
    band: Band
    arr_cents: int | None = Field(examples=[1996000])


class SentimentReport(ResponseModel):
    csv_rows: ClassVar[tuple[str, ...]] = ("disagreements",)

    horizon_days: int = Field(examples=[90])
    optimistic: VerdictOut = Field(
        description="The owner felt good, the band was `at_risk`: right if the account stayed."
    )
    pessimistic: VerdictOut = Field(
        description="The owner felt bad, the band was `healthy`: right if the account left."
    )
    disagreements: list[SentimentDisagreement]
