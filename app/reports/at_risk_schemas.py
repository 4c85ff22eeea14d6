from datetime import datetime

from pydantic import Field

from app.churn.revenue import Basis
from app.core.schemas import ResponseModel
from app.portfolio.schemas import AccountListItem


class Driver(ResponseModel):
    """The measure that leaves out the most points."""

    measure: str = Field(examples=["reach"])
    points_missed: float = Field(examples=[18.06])
    sentence: str = Field(examples=["Reach is 190 end customers; the median is 412."])


class OpenAlert(ResponseModel):
    """The most severe open alert, the oldest of these."""

    id: str
    rule: str = Field(validation_alias="rule_key", examples=["health_at_risk"])
    severity: str = Field(examples=["high"])
    opened_at: datetime


class Suggested(ResponseModel):
    """What is proposed first."""

    id: str
    playbook: str = Field(examples=["wake_dormant"])


class AtRisk(AccountListItem):
    """An account at risk, and what is known to act on."""

    revenue_at_risk_cents: int = Field(description="Of a year.", examples=[598800])
    revenue_basis: Basis = Field(
        description="`probability`: ARR times probability; `arr`: all of it, for none is claimed."
    )
    top_driver: Driver | None
    open_alert: OpenAlert | None
    suggestion: Suggested | None
