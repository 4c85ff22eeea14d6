"""Churn models and churn risk on the wire."""

from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import Field

from app.churn.model.driver_sentences import confidence_sentence, driver_sentence
from app.churn.model.drivers import RiskDriver
from app.churn.model.horizon import HorizonBasis
from app.churn.model.levels import ModelStage
from app.churn.model.rules_reason import RulesReason
from app.churn.scoring.revenue import RevenueAtRisk, RevenueBasis
from app.churn.scoring.risk import ChurnStatus, Outlook
from app.churn.tables import ChurnRisk, ChurnRiskHistory
from app.core.languages import Language
from app.core.schemas import ResponseModel

ModelState = Literal["active", "shadow", "retired", "rolled_back", "degraded"]
RiskLevel = Literal["low", "medium", "high"]


PROBABILITY_LOW = Field(
    None,
    description="The share of accounts with such a risk that churns at least. With"
    " `probability_high` a range of 80 %, the wider the less is known. Null without a model.",
    examples=[0.13],
)
PROBABILITY_HIGH = Field(None, description="The share that churns at most.", examples=[0.29])


class RecalibrationOut(ResponseModel):
    """A shift of all log-odds of a model, by what came of the newest horizon that is over."""

    starts_on: date = Field(description="The first day of the risks that it applies to.")
    offset: float = Field(
        description="Added to the log-odds: what the level missed, shrunk towards 0 by the number"
        " of churned accounts.",
        examples=[-0.31],
    )
    error: float = Field(
        description="The standard error of the level in the horizon to come.", examples=[0.24]
    )
    observed_from: date = Field(description="The first day on which the accounts were observed.")
    observed_through: date
    expected: float = Field(
        description="How many of them the model alone expected to churn; an account counts once"
        " for each day.",
        examples=[64.2],
    )
    observed: int = Field(description="How many churned.", examples=[43])
    churned_accounts: int = Field(examples=[29])


class ChurnModelOut(ResponseModel):
    version: int = Field(examples=[3])
    state: ModelState = Field(
        examples=["active"],
        description="`active`: used for scoring. `shadow`: trained and never active. `retired`:"
        " replaced by another model. `rolled_back`: taken out of service by a person."
        " `degraded`: taken out of service because it no longer fits.",
    )
    stage: ModelStage = Field(
        examples=["trusted"],
        description="`experimental` until it beats base rate and recency on unseen time, then"
        " `trusted`.",
    )
    horizon_days: int = Field(
        examples=[90], description="The model predicts churn within so many days."
    )
    data_through: date = Field(
        examples=["2026-08-31"], description="The last observation day of the training data."
    )
    known_through: date = Field(
        examples=["2026-11-29"],
        description="The day on which the outcome of the last observation was known.",
    )
    created_at: datetime
    created_by: str = Field(examples=["job:job_019aa1b2c3d4e5f60718293a"])
    activated_at: datetime | None
    activated_by: str | None
    retired_at: datetime | None
    recalibrations: list[RecalibrationOut] = Field(
        description="How its level followed the outcomes, oldest first."
    )


class ChurnModelCard(ChurnModelOut):
    card: dict[str, Any] = Field(
        description="Training data, features, candidates, metrics on unseen time with intervals,"
        " calibration by groups, promotion checks, library versions and hash.",
        examples=[{"kind": "mean", "seed": 1337, "data": {"rows": 9143, "churned_accounts": 412}}],
    )


class ChurnModelRollbackOut(ResponseModel):
    active: ChurnModelOut | None = Field(
        description="The model that is active now. Null: churn risk uses the rules."
    )


class RiskDriverOut(ResponseModel):
    """A signal that goes with the risk. It is not a proven cause."""

    signal: str = Field(examples=["silence"])
    feature: str = Field(
        description="The feature that carries the effect of the signal.", examples=["recency"]
    )
    direction: Literal["raises", "lowers"]
    effect: float = Field(
        description="What all windows of the signal add to the risk: log-odds of a model, or"
        " points of the rules.",
        examples=[0.83],
    )
    value: float | None = Field(description="The feature's value now.", examples=[24.0])
    before: float | None = Field(description="Its value four weeks earlier.", examples=[3.0])
    peers_median: float | None = Field(
        description="Its median over the workspace's accounts; null below 20 accounts.",
        examples=[2.0],
    )
    text: str = Field(
        description="The driver as a sentence.",
        examples=["Days since the last use: 24. This goes with a higher risk."],
    )

    @classmethod
    def from_stored(cls, stored: dict[str, Any], language: Language) -> Self:
        driver = RiskDriver(**stored)
        return cls.from_row(
            driver,
            direction="raises" if driver.effect > 0 else "lowers",
            effect=round(driver.effect, 4),
            peers_median=driver.peers,
            text=driver_sentence(driver, language),
        )


BASIS_DESCRIPTION = (
    "`probability`: ARR times the probability of churn. `assumed`: there is none, and the account"
    " is at risk by its band or level: 30 % of the ARR. `none`: there is none, and it is not."
)


class RevenueAtRiskOut(ResponseModel):
    cents: int | None = Field(
        description="Of one year's revenue. Null: a part of the price has no exchange rate.",
        examples=[119760],
    )
    basis: RevenueBasis = Field(description=BASIS_DESCRIPTION)
    low_cents: int | None = Field(
        None, description="By `probability_low`; null without it.", examples=[77844]
    )
    high_cents: int | None = Field(
        None, description="By `probability_high`; null without it.", examples=[173652]
    )


class RevenueAtRiskTotal(ResponseModel):
    """The revenue at risk of several accounts and its two parts."""

    cents: int = Field(description="Of one year's revenue.", examples=[139760])
    probability_cents: int = Field(
        description="ARR times the probability of churn, where a model claims one.",
        examples=[119760],
    )
    probability_low_cents: int = Field(
        description="`probability_cents` with `probability_low` of each account: all of them may"
        " be wrong in the same direction.",
        examples=[77844],
    )
    probability_high_cents: int = Field(
        description="The same with `probability_high`.", examples=[173652]
    )
    assumed_cents: int = Field(
        description="30 % of the ARR of accounts at risk without a probability.", examples=[20000]
    )

    @classmethod
    def of_parts(cls, probability_cents: int, low: int, high: int, assumed_cents: int) -> Self:
        return cls(
            cents=probability_cents + assumed_cents,
            probability_cents=probability_cents,
            probability_low_cents=low,
            probability_high_cents=high,
            assumed_cents=assumed_cents,
        )


class ChurnRiskOut(ResponseModel):
    """How likely an account is to churn within the horizon, and the drivers of the risk."""

    account_id: str = Field(examples=["acme"])
    status: ChurnStatus | None = Field(
        description="`ok`, or why there is no risk. Null: not scored yet, or not since the first"
        " use became known."
    )
    probability: float | None = Field(
        description="Null: no model predicts it; `confidence` says why.", examples=[0.2], ge=0, le=1
    )
    probability_low: float | None = PROBABILITY_LOW
    probability_high: float | None = PROBABILITY_HIGH
    level: RiskLevel | None
    rank: int | None = Field(
        None, description="1: the highest risk of the workspace.", examples=[3]
    )
    ranked_accounts: int | None = Field(
        None, description="How many accounts have a rank.", examples=[120]
    )
    method: Literal["rules", "model"] | None
    stage: ModelStage | None
    confidence: str | None = Field(description="How reliable the risk is, as a sentence.")
    horizon_days: int | None = Field(examples=[90])
    horizon_basis: HorizonBasis | None = Field(
        description="What counts as churn: the end of the subscription, or silence if no account"
        " of the workspace pays."
    )
    outlook: Outlook | None = Field(
        description="`within_horizon`, or `at_renewal`: the contract renews after the horizon, and"
        " the risk is that it ends before."
    )
    renewal_on: date | None
    drivers: list[RiskDriverOut] = Field(description="At most five, strongest first.")
    revenue_at_risk: RevenueAtRiskOut | None
    model_version: int | None = Field(examples=[7])
    as_of: date | None = Field(description="The last day that is over (UTC).")
    computed_at: datetime | None

    @classmethod
    def for_account(
        cls,
        account_id: str,
        row: ChurnRisk | ChurnRiskHistory | None,
        language: Language,
        revenue: RevenueAtRisk | None,
        reason: RulesReason | None = None,
    ) -> Self:
        """Return a stored risk in a language. Without a row every other field is null.

        ``reason``: why it is by rules, if that is known.
        """
        if row is None:
            empty = {"account_id": account_id, "drivers": []}
            return cls.model_validate(dict.fromkeys(cls.model_fields) | empty)
        details, stage = row.details, ModelStage(row.stage)
        return cls.from_row(
            row,
            rank=None,
            ranked_accounts=None,
            method="model" if row.model_version is not None else "rules",
            stage=stage,
            confidence=confidence_sentence(stage, language, reason),
            **{name: details[name] for name in ("horizon_basis", "outlook", "renewal_on")},
            drivers=[RiskDriverOut.from_stored(each, language) for each in details["drivers"]],
            revenue_at_risk=revenue,
        )


class ChurnRiskHistoryOut(ResponseModel):
    account_id: str = Field(examples=["acme"])
    items: list[ChurnRiskOut]
    next_cursor: str | None = Field(
        description="Pass it as `cursor` to get the next page. Null: this is the last page."
    )
