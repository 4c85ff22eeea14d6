"""What a list of accounts can be filtered by, and ordered by. Pure."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from app.churn.levels import LEVELS
from app.core.filters import Kind
from app.health.assess import Status
from app.health.scorecard import Band

ACCOUNT: Mapping[str, Kind] = {
    "account_id": Kind.TEXT,
    "name": Kind.TEXT,
    "segment": Kind.TEXT,
    "owner": Kind.TEXT,
    "industry": Kind.TEXT,
    "employees": Kind.NUMBER,
    "end_customers": Kind.NUMBER,
    "started_on": Kind.DAY,
    "created_on": Kind.DAY,
    "parent_id": Kind.TEXT,
    "excluded": Kind.BOOLEAN,
    "external_ids.*": Kind.TEXT,
}
SCORE: Mapping[str, Kind] = {
    "score": Kind.NUMBER,
    "band": Kind.TEXT,
    "status": Kind.TEXT,
    "coverage": Kind.NUMBER,
    "overridden": Kind.BOOLEAN,
    "as_of": Kind.DAY,
    "trend.d7": Kind.NUMBER,
    "trend.d28": Kind.NUMBER,
    "trend.d90": Kind.NUMBER,
    "measures.*": Kind.NUMBER,
    "last_used_on": Kind.DAY,
}
MONEY: Mapping[str, Kind] = {
    "plan": Kind.TEXT,
    "mrr_cents": Kind.NUMBER,
    "price_cents": Kind.NUMBER,
    "currency": Kind.TEXT,
    "seats": Kind.NUMBER,
    "renewal_on": Kind.DAY,
    "notice_on": Kind.DAY,
    "value_leak_cents": Kind.NUMBER,
}
CHURN: Mapping[str, Kind] = {
    "churn_risk.level": Kind.TEXT,
    "churn_risk.probability": Kind.NUMBER,
    "churn_risk.revenue_at_risk_cents": Kind.NUMBER,
}
FIELDS: Mapping[str, Kind] = {**ACCOUNT, **SCORE, **MONEY, **CHURN}

CHOICES: Mapping[str, Collection[str]] = {
    "band": tuple(band.value for band in Band),
    "churn_risk.level": LEVELS,
    "status": tuple(status.value for status in Status),
}


class Sort(StrEnum):
    """What a list can be ordered by; a leading minus reverses it."""

    ACCOUNT_ID = "account_id"
    NAME = "name"
    SCORE = "score"
    MRR = "mrr"
    RENEWAL_ON = "renewal_on"
    TREND28 = "trend28"
    CHURN_RISK = "churn_risk"
    REVENUE_AT_RISK = "revenue_at_risk"


PLACES: Mapping[Sort, tuple[type, ...]] = {
    Sort.ACCOUNT_ID: (str,),
    Sort.NAME: (str, type(None)),
    Sort.SCORE: (float, int, type(None)),
    Sort.MRR: (int,),
    Sort.RENEWAL_ON: (str, type(None)),
    Sort.TREND28: (float, int, type(None)),
    Sort.CHURN_RISK: (float, int, type(None)),
    Sort.REVENUE_AT_RISK: (int,),
}
"""What a cursor holds of the row that it stands after."""
