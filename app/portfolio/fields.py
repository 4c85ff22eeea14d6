"""The fields by which lists of accounts can be filtered, and their sort orders. Pure."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from app.churn.model.levels import LEVELS
from app.core.filters.tree import FieldType
from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus

ACCOUNT_FIELDS: Mapping[str, FieldType] = {
    "account_id": FieldType.TEXT,
    "name": FieldType.TEXT,
    "segment": FieldType.TEXT,
    "owner": FieldType.TEXT,
    "industry": FieldType.TEXT,
    "employees": FieldType.NUMBER,
    "end_customers": FieldType.NUMBER,
    "started_on": FieldType.DAY,
    "created_on": FieldType.DAY,
    "parent_id": FieldType.TEXT,
    "excluded": FieldType.BOOLEAN,
    "external_ids.*": FieldType.TEXT,
}
SCORE_FIELDS: Mapping[str, FieldType] = {
    "score": FieldType.NUMBER,
    "band": FieldType.TEXT,
    "status": FieldType.TEXT,
    "coverage": FieldType.NUMBER,
    "overridden": FieldType.BOOLEAN,
    "as_of": FieldType.DAY,
    "trend.d7": FieldType.NUMBER,
    "trend.d28": FieldType.NUMBER,
    "trend.d90": FieldType.NUMBER,
    "measures.*": FieldType.NUMBER,
    "last_used_on": FieldType.DAY,
}
REVENUE_FIELDS: Mapping[str, FieldType] = {
    "plan": FieldType.TEXT,
    "mrr_cents": FieldType.NUMBER,
    "price_cents": FieldType.NUMBER,
    "currency": FieldType.TEXT,
    "seats": FieldType.NUMBER,
    "renewal_on": FieldType.DAY,
    "notice_on": FieldType.DAY,
    "value_leak_cents": FieldType.NUMBER,
}
CHURN_FIELDS: Mapping[str, FieldType] = {
    "churn_risk.level": FieldType.TEXT,
    "churn_risk.probability": FieldType.NUMBER,
    "churn_risk.revenue_at_risk_cents": FieldType.NUMBER,
}
FIELDS: Mapping[str, FieldType] = {
    **ACCOUNT_FIELDS,
    **SCORE_FIELDS,
    **REVENUE_FIELDS,
    **CHURN_FIELDS,
}

CHOICES: Mapping[str, Collection[str]] = {
    "band": tuple(band.value for band in Band),
    "churn_risk.level": LEVELS,
    "status": tuple(status.value for status in HealthStatus),
}


class AccountSort(StrEnum):
    """A sort order of a list; a leading minus makes it descending."""

    ACCOUNT_ID = "account_id"
    NAME = "name"
    SCORE = "score"
    MRR = "mrr"
    RENEWAL_ON = "renewal_on"
    TREND28 = "trend28"
    CHURN_RISK = "churn_risk"
    REVENUE_AT_RISK = "revenue_at_risk"


CURSOR_TYPES: Mapping[AccountSort, tuple[type, ...]] = {
    AccountSort.ACCOUNT_ID: (str,),
    AccountSort.NAME: (str, type(None)),
    AccountSort.SCORE: (float, int, type(None)),
    AccountSort.MRR: (int,),
    AccountSort.RENEWAL_ON: (str, type(None)),
    AccountSort.TREND28: (float, int, type(None)),
    AccountSort.CHURN_RISK: (float, int, type(None)),
    AccountSort.REVENUE_AT_RISK: (int,),
}
"""The types that the sort value in a cursor may have."""
