"""Families of accounts on the wire."""

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
    accounts: int = Field(examples=[4])
    mrr_cents: int = Field(examples=[199600])


class RollupOut(ResponseModel):
    """An account and all accounts below it, as one."""

    method: Rollup
    value: float | None = Field(
        description="0-100; null: nobody in the family has a score.", examples=[58.25]
    )
    band: Band
    scored: int = Field(description="How many scores it is made of.", examples=[5])
    children: int = Field(
        description="Accounts below it, however deep, that are neither churned nor excluded.",
        examples=[6],
    )
    gone: int = Field(description="Those that are.", examples=[1])
    mrr_cents: int = Field(
        description="What the account and its children pay a month.", examples=[259400]
    )
    by_band: dict[Band, BandCountOut] = Field(
        description="The children by band.", examples=[BANDS_EXAMPLE]
    )


class AccountRollupOut(RollupOut):
    account_id: str = Field(examples=["acme-holding"])

    @classmethod
    def of(cls, account_id: str, found: RollupResult) -> "AccountRollupOut":
        said = RollupOut.model_validate(found).model_dump()
        return cls(account_id=account_id, **said)


class ChildAccountOut(ResponseModel):
    """An account right below another one."""

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
