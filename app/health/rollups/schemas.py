"""Rolled-up scores and child accounts in the API."""

from typing import Annotated

from pydantic import Field

from app.accounts.hierarchy import Rollup
from app.core.schemas import ResponseModel
from app.health.definition.scorecard import Band
from app.health.rollups.rollup import RollupResult
from app.health.scoring.assess import HealthStatus

BANDS_EXAMPLE = {
    "at_risk": {"accounts": 1, "mrr_cents": 9900},
    "watch": {"accounts": 0, "mrr_cents": 0},
    "healthy": {"accounts": 4, "mrr_cents": 199600},
    "unknown": {"accounts": 1, "mrr_cents": 0},
}


class BandCountOut(ResponseModel):
    """The child accounts of one band."""

    accounts: int = Field(examples=[4])
    mrr_cents: int = Field(examples=[199600])


class RollupOut(ResponseModel):
    """The score of an account combined with those of all accounts below it."""

    method: Rollup
    value: float | None = Field(
        description="0 to 100; null if none of the accounts has a score.", examples=[58.25]
    )
    band: Band
    scored: int = Field(description="Number of scores that were combined.", examples=[5])
    children: int = Field(
        description="Accounts below it at any depth that are neither churned nor excluded.",
        examples=[6],
    )
    gone: int = Field(description="Accounts below it that are churned or excluded.", examples=[1])
    mrr_cents: int = Field(
        description="Monthly recurring revenue of the account and its children.", examples=[259400]
    )
    by_band: dict[Band, BandCountOut] = Field(
        description="The children, by band of their own score.", examples=[BANDS_EXAMPLE]
    )


class AccountRollupOut(RollupOut):
    """The rolled-up score of an account."""

    account_id: str = Field(examples=["acme-holding"])

    @classmethod
    def from_result(cls, account_id: str, result: RollupResult) -> "AccountRollupOut":
        return cls(account_id=account_id, **RollupOut.model_validate(result).model_dump())


class ChildAccountOut(ResponseModel):
    """An account directly below another account."""

    account_id: str = Field(examples=["acme-north"])
    name: str | None = Field(examples=["Acme North"])
    segment: str | None = Field(examples=["smb"])
    owner: str | None = Field(examples=["kim@example.com"])
    plan: str | None = Field(examples=["team"])
    mrr_cents: int = Field(examples=[49900])
    value: Annotated[float | None, Field(validation_alias="score", examples=[61.5])]
    band: Band
    status: HealthStatus
    has_children: bool
