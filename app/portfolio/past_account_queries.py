"""Filter accounts by what was known of them on a past day.

Scores, churn risks, prices and dates come from the history; so do the attributes that a score is
stored with. The past of the other fields is not stored: see ``fields.fields_without_past``.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Double,
    Subquery,
    Text,
    TextClause,
    case,
    cast,
    column,
    false,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.churn.scoring.revenue import assumed_loss
from app.core.filters.sql import Column
from app.core.filters.tree import Filter
from app.core.query_helpers import known_mrr_cents
from app.core.sql import load_sql
from app.portfolio.account_queries import COLUMNS, filter_condition

SQL = load_sql(
    __file__, known_mrr_cents=known_mrr_cents("h", status="h.details ->> 'price_status'")
)
ATTRIBUTES = ("segment", "industry", "owner", "employees", "end_customers", "excluded", "plan")
"""The attributes of an account that are stored with each score."""
SCORE_TYPES: Mapping[str, type[Any]] = {
    **dict.fromkeys(("account_id", "band", "status", "renewal_on", "notice_on"), Text),
    **dict.fromkeys(("last_used_on", "currency", "plan", "segment", "industry", "owner"), Text),
    **dict.fromkeys(("score", "coverage", "seats", "price_cents", "value_leak_cents"), Double),
    **dict.fromkeys(("trend7", "trend28", "trend90"), Double),
    **dict.fromkeys(("mrr_cents", "employees", "end_customers"), BigInteger),
    **dict.fromkeys(("details", "inputs"), JSONB),
    "as_of": Date,
    "excluded": Boolean,
}
RISK_TYPES: Mapping[str, type[Any]] = {
    **dict.fromkeys(("account_id", "level"), Text),
    "probability": Double,
    "revenue_at_risk_cents": BigInteger,
}


def load_matching_ids_on(
    session: Session,
    workspace_id: str,
    filter_: Filter,
    account_ids: Collection[str],
    *,
    day: date,
) -> set[str]:
    """Return those of the given accounts that matched a filter at the end of a past day.

    Accounts without a score on or before the day do not match.
    """
    scores = _subquery("past_scores", SCORE_TYPES)
    risks = _subquery("past_risks", RISK_TYPES)
    columns = _past_columns(scores, risks)

    def column_of(field: str) -> Column | None:
        prefix, _, name = field.partition(".")
        if prefix == "traits":
            stored = scores.c.inputs["traits"]
            return case((stored.has_key(name), stored[name]), else_=Account.traits[name])
        return columns.get(field)

    condition = filter_condition(
        session, workspace_id, filter_, day, column_of=column_of, scores=scores.c
    )
    query = (
        select(Account.account_id)
        .join(scores, scores.c.account_id == Account.account_id)
        .outerjoin(risks, risks.c.account_id == Account.account_id)
        .where(Account.workspace_id == workspace_id, condition)
    )
    values = {"past_workspace_id": workspace_id, "past_ids": list(account_ids), "past_day": day}
    return set(session.scalars(query, values))


def _subquery(name: str, types: Mapping[str, type[Any]]) -> Subquery:
    columns = [column(key, type_()) for key, type_ in types.items()]
    statement: TextClause = getattr(SQL, name)
    return statement.columns(*columns).subquery(name)


def _past_columns(scores: Subquery, risks: Subquery) -> dict[str, Column]:
    """Return the columns of fields whose past is known; the others are those of today."""
    score = scores.c
    attributes = {
        name: case((score.inputs.has_key(name), score[name]), else_=Account.__table__.columns[name])
        for name in ATTRIBUTES
    }
    stored = risks.c.revenue_at_risk_cents
    is_known = or_(score.band.is_(None), score.mrr_cents.is_not(None))
    by_band = case((score.band == "at_risk", assumed_loss(score.mrr_cents)), else_=0)
    return {
        **COLUMNS,
        **{name: score[name] for name in SCORE_TYPES if name in COLUMNS},
        **attributes,
        **{f"trend.d{days}": score[f"trend{days}"] for days in (7, 28, 90)},
        "overridden": func.coalesce(score.status == "overridden", false()),
        "churn_risk.level": risks.c.level,
        "churn_risk.probability": risks.c.probability,
        "churn_risk.revenue_at_risk_cents": case(
            (is_known, cast(func.coalesce(stored, by_band), BigInteger))
        ),
    }
