"""Churn risk on the wire."""

from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from app.churn.model.driver_sentences import confidence_sentence, driver_sentence
from app.churn.model.drivers import RiskDriver
from app.churn.model.horizon import HorizonBasis
from app.churn.model.model import ModelStage
from app.churn.scoring.revenue import RevenueBasis
from app.churn.scoring.risk import ChurnStatus, Outlook
from app.churn.tables import ChurnRisk, ChurnRiskHistory
from app.core.languages import Language
from app.core.schemas import ResponseModel

RiskLevel = Literal["low", "medium", "high"]


class RiskDriverOut(BaseModel):
    """What goes with the risk; not what causes it."""

    signal: str = Field(examples=["silence"])
    feature: str = Field(description="What is shown of the signal.", examples=["recency"])
    direction: Literal["raises", "lowers"]
    effect: float = Field(
        description="In log-odds, over all windows of the signal; of rules in points.",
        examples=[0.83],
    )
    value: float | None = Field(examples=[24.0])
    before: float | None = Field(description="Four weeks before.", examples=[3.0])
    peers_median: float | None = Field(examples=[2.0])
    text: str = Field(
        examples=["Days since the last use: 24. This goes with a higher risk."],
    )

    @classmethod
    def of(cls, stored: dict[str, Any], language: Language) -> Self:
        driver = RiskDriver(**stored)
        return cls(
            signal=driver.signal,
            feature=driver.feature,
            direction="raises" if driver.effect > 0 else "lowers",
            effect=round(driver.effect, 4),
            value=driver.value,
            before=driver.before,
            peers_median=driver.peers,
            text=driver_sentence(driver, language),
        )


class RevenueAtRiskOut(BaseModel):
    cents: int = Field(description="Of a year's revenue.", examples=[119760])
    basis: RevenueBasis = Field(
        description="probability: ARR times probability. arr: all of the ARR, for no probability"
        " is claimed."
    )


class ChurnRiskOut(ResponseModel):
    """How likely an account is to leave within the horizon, and what goes with that."""

    account_id: str = Field(examples=["acme"])
    status: ChurnStatus | None = Field(description="Null: not judged yet.")
    probability: float | None = Field(
        description="Null: none is claimed.", examples=[0.2], ge=0, le=1
    )
    level: RiskLevel | None
    rank: int | None = Field(
        None, description="1: the highest risk of the workspace.", examples=[3]
    )
    ranked_accounts: int | None = Field(None, examples=[120])
    method: Literal["rules", "model"] | None
    stage: ModelStage | None
    confidence: str | None = Field(description="In words.")
    horizon_days: int | None = Field(examples=[90])
    horizon_basis: HorizonBasis | None = Field(
        description="What leaving means: a subscription that ends, or silence where nobody pays."
    )
    outlook: Outlook | None = Field(
        description="at_renewal: the contract runs on beyond the horizon; said of its renewal."
    )
    renewal_on: date | None
    drivers: list[RiskDriverOut]
    revenue_at_risk: RevenueAtRiskOut | None
    model_version: int | None = Field(examples=[7])
    as_of: date | None = Field(description="The last day that is over.")
    computed_at: datetime | None

    @classmethod
    def of(
        cls, account_id: str, row: ChurnRisk | ChurnRiskHistory | None, language: Language
    ) -> Self:
        """Say what is known, in a language; of an account that was not judged yet nothing is."""
        if row is None:
            said = {"account_id": account_id, "drivers": []}
            return cls.model_validate(dict.fromkeys(cls.model_fields) | said)
        details, stage = row.details, ModelStage(row.stage)
        return cls.from_row(
            row,
            rank=None,
            ranked_accounts=None,
            method="model" if row.model_version is not None else "rules",
            stage=stage,
            confidence=confidence_sentence(stage, language),
            **{name: details[name] for name in ("horizon_basis", "outlook", "renewal_on")},
            drivers=[RiskDriverOut.of(each, language) for each in details["drivers"]],
            revenue_at_risk=RevenueAtRiskOut(
                cents=row.revenue_at_risk_cents, basis=details["revenue_basis"]
            ),
        )


class ChurnRiskHistoryOut(BaseModel):
    account_id: str = Field(examples=["acme"])
    items: list[ChurnRiskOut]
    next_cursor: str | None = Field(description="Ask again with it; null on the last page.")
