from datetime import datetime

from pydantic import Field

from app.churn.scoring.revenue import RevenueBasis
from app.core.schemas import ResponseModel
from app.portfolio.schemas import AccountListItem


class TopDriverOut(ResponseModel):
    """The measure that leaves out the most points."""

    measure: str = Field(examples=["reach"])
    points_missed: float = Field(examples=[18.06])
    sentence: str = Field(examples=["Reach is 190 end customers; the median is 412."])


class OpenAlertOut(ResponseModel):
    """The most severe open alert, the oldest of these."""

    id: str
    rule: str = Field(validation_alias="rule_key", examples=["health_at_risk"])
    severity: str = Field(examples=["high"])
    opened_at: datetime


class TopSuggestionOut(ResponseModel):
    """What is proposed first."""

    id: str
    playbook: str = Field(examples=["wake_dormant"])


class AccountAtRiskOut(AccountListItem):
    """An account at risk, and what is known to act on."""

    revenue_at_risk_cents: int = Field(description="Of a year.", examples=[598800])
    revenue_basis: RevenueBasis = Field(
        description="`probability`: ARR times probability; `arr`: all of it, for none is claimed."
    )
    top_driver: TopDriverOut | None
    open_alert: OpenAlertOut | None
    suggestion: TopSuggestionOut | None
