"""The fields by which lists of accounts can be filtered, and their sort orders. Pure."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from app.churn.model.levels import LEVELS
from app.core.filters.tree import FieldType, Filter, fields_of
from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus

FIELDS: Mapping[str, FieldType] = {
    **dict.fromkeys(
        (
            *("account_id", "name", "segment", "owner", "industry", "parent_id", "external_ids.*"),
            *("band", "status", "plan", "currency", "churn_risk.level"),
        ),
        FieldType.TEXT,
    ),
    **dict.fromkeys(
        (
            *("employees", "end_customers", "score", "coverage", "trend.d7", "trend.d28"),
            *("trend.d90", "measures.*", "mrr_cents", "price_cents", "seats", "value_leak_cents"),
            *("churn_risk.probability", "churn_risk.revenue_at_risk_cents"),
        ),
        FieldType.NUMBER,
    ),
    **dict.fromkeys(("excluded", "overridden"), FieldType.BOOLEAN),
    **dict.fromkeys(
        ("started_on", "created_on", "as_of", "last_used_on", "renewal_on", "notice_on"),
        FieldType.DAY,
    ),
}

CHOICES: Mapping[str, Collection[str]] = {
    "band": tuple(band.value for band in Band),
    "churn_risk.level": LEVELS,
    "status": tuple(status.value for status in HealthStatus),
}


class AccountSort(StrEnum):
    """A sort order of an account list; a leading minus in the request makes it descending."""

    ACCOUNT_ID = "account_id"
    NAME = "name"
    SCORE = "score"
    MRR = "mrr"
    RENEWAL_ON = "renewal_on"
    TREND7 = "trend7"
    TREND28 = "trend28"
    CHURN_RISK = "churn_risk"
    REVENUE_AT_RISK = "revenue_at_risk"


OTHER_SORT_NAMES = {"mrr_cents": AccountSort.MRR}
"""Other names of sort orders: those of the fields that they sort by."""

CURSOR_TYPES: Mapping[AccountSort, tuple[type, ...]] = {
    AccountSort.ACCOUNT_ID: (str,),
    AccountSort.NAME: (str, type(None)),
    AccountSort.SCORE: (float, int, type(None)),
    AccountSort.MRR: (int, type(None)),
    AccountSort.RENEWAL_ON: (str, type(None)),
    AccountSort.TREND7: (float, int, type(None)),
    AccountSort.TREND28: (float, int, type(None)),
    AccountSort.CHURN_RISK: (float, int, type(None)),
    AccountSort.REVENUE_AT_RISK: (int, type(None)),
}
"""The types that the sort value in a cursor may have."""

WITHOUT_PAST = {"name", "parent_id", "started_on"}


def fields_without_past(filter_: Filter) -> list[str]:
    """Return the fields of a filter that are judged by today's values on a past day.

    Traits are among them, although those that the scorecard uses are stored with each score.
    """
    return sorted(
        field
        for field in fields_of(filter_)
        if field in WITHOUT_PAST or field.startswith(("traits.", "external_ids."))
    )
