"""Filter, sort and count accounts joined with their score and churn risk."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import (
    Date,
    Select,
    and_,
    cast,
    exists,
    false,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from app.accounts.aliases import current_ids
from app.accounts.tables import Account, ExternalId
from app.changes.snapshots import ListSnapshot, merge_rows
from app.changes.sort_change_queries import PastValues, with_snapshot
from app.churn.tables import ChurnRisk
from app.core.db import Table
from app.core.filters.sql import Column, MultiValueField, SqlCondition, sql_condition
from app.core.filters.tree import (
    Filter,
    exact_values,
    fields_of,
    replace_exact_values,
    resolve_relative_days,
)
from app.core.part_queries import all_rows
from app.core.query_helpers import same_account
from app.health.tables import HAS_NO_RATE, KNOWN_MRR_CENTS, HealthScore
from app.portfolio.account_pages import (
    AccountOrder,
    AccountRow,
    ListPosition,
    parts_by_value,
    select_by_past_value,
)
from app.portfolio.fields import AccountSort
from app.portfolio.revenue_at_risk_queries import (
    KNOWN_REVENUE_AT_RISK,
    REVENUE_AT_HIGH,
    REVENUE_AT_LOW,
    REVENUE_AT_RISK,
    REVENUE_BASIS,
)

MEASURE_SCORE_PATH = "$.measures[*] ? (@.name == $name).score"
HIDDEN_STATUSES = ("churned", "excluded")
STATUS = func.coalesce(HealthScore.status, "insufficient_data")


def _columns(table: type[Table], *names: str) -> dict[str, Column]:
    return {name: table.__table__.columns[name] for name in names}


COLUMNS: Mapping[str, Column] = {
    **_columns(Account, "account_id", "name", "segment", "owner", "industry", "employees"),
    **_columns(Account, "end_customers", "started_on", "parent_id", "excluded"),
    **_columns(HealthScore, "score", "as_of", "renewal_on", "notice_on", "last_used_on"),
    **_columns(HealthScore, "currency", "seats", "price_cents", "value_leak_cents"),
    **_columns(HealthScore, "price_status"),
    "created_on": cast(func.timezone("UTC", Account.created_at), Date),
    "band": func.coalesce(HealthScore.band, "unknown"),
    "status": STATUS,
    "coverage": func.coalesce(HealthScore.coverage, 0.0),
    "overridden": func.coalesce(HealthScore.status == "overridden", false()),
    "mrr_cents": KNOWN_MRR_CENTS,
    "plan": func.coalesce(HealthScore.plan, Account.plan),
    **{
        f"churn_risk.{name}": column
        for name, column in _columns(ChurnRisk, "level", "probability").items()
    },
    "churn_risk.revenue_at_risk_cents": KNOWN_REVENUE_AT_RISK,
    **{f"trend.d{days}": HealthScore.__table__.columns[f"trend{days}"] for days in (7, 28, 90)},
}

LISTED_COLUMNS = (
    *("account_id", "name", "segment", "owner", "parent_id", "plan", "mrr_cents", "currency"),
    *("price_status", "price_cents", "seats", "renewal_on", "notice_on", "last_used_on"),
    *("value_leak_cents", "score", "band", "status", "coverage", "as_of"),
)
CHURN_COLUMNS = (
    *("status", "level", "probability", "probability_low", "probability_high"),
    *("stage", "horizon_days", "as_of"),
)
SELECT_ACCOUNTS = select(
    *(COLUMNS[name].label(name) for name in LISTED_COLUMNS),
    *(COLUMNS[f"trend.{name}"].label(name) for name in ("d7", "d28", "d90")),
    HealthScore.computed_at,
    *(ChurnRisk.__table__.columns[name].label(f"churn_{name}") for name in CHURN_COLUMNS),
    KNOWN_REVENUE_AT_RISK.label("revenue_at_risk_cents"),
    REVENUE_BASIS.label("revenue_basis"),
)
AT_RISK_PARTS = (
    ("probability", REVENUE_AT_RISK),
    ("probability", func.coalesce(REVENUE_AT_LOW, REVENUE_AT_RISK)),
    ("probability", func.coalesce(REVENUE_AT_HIGH, REVENUE_AT_RISK)),
    ("assumed", REVENUE_AT_RISK),
)
"""The sums of ``AccountTotal`` with their basis; a probability without bounds counts as it is."""
ACCOUNT_ID_FIELDS = ("account_id", "parent_id")
"""Fields whose values are account ids."""
SCORE_JOIN, RISK_JOIN = same_account(HealthScore, Account), same_account(ChurnRisk, Account)

SORT_COLUMNS: Mapping[AccountSort, Column] = {
    AccountSort.ACCOUNT_ID: COLUMNS["account_id"],
    AccountSort.NAME: COLUMNS["name"].collate("C"),
    AccountSort.SCORE: COLUMNS["score"],
    AccountSort.MRR: KNOWN_MRR_CENTS,
    AccountSort.RENEWAL_ON: COLUMNS["renewal_on"],
    AccountSort.TREND7: COLUMNS["trend.d7"],
    AccountSort.TREND28: COLUMNS["trend.d28"],
    AccountSort.CHURN_RISK: ChurnRisk.__table__.columns["risk"],
    AccountSort.REVENUE_AT_RISK: KNOWN_REVENUE_AT_RISK,
}


@dataclass(frozen=True, slots=True)
class AccountTotal:
    """The number of accounts, their MRR, and how many the MRR leaves out for want of a rate.

    ``expected_cents``: the revenue at risk by probabilities, ``low_cents`` and ``high_cents``: at
    the bounds of each; ``assumed_cents``: that of accounts at risk without a probability. All leave
    out the same accounts as the MRR.
    """

    accounts: int
    mrr_cents: int
    no_rate: int
    expected_cents: int
    low_cents: int
    high_cents: int
    assumed_cents: int


def list_accounts(
    session: Session,
    workspace_id: str,
    filter_: Filter,
    *,
    today: date,
    sort: AccountSort,
    descending: bool,
    after: ListPosition | None,
    snapshot: ListSnapshot | None,
    limit: int,
) -> Sequence[AccountRow]:
    """Return the accounts that match, sorted by one column and the id; null sorts last either way.

    The rows have the sorted value as ``sort_value``: with a ``snapshot``, the value of its moment.
    Without one they have the columns of the snapshot that they were read in.
    """
    order = AccountOrder(sort, SORT_COLUMNS[sort], descending, after, limit)
    query = _join_scores(SELECT_ACCOUNTS, workspace_id)
    query = query.where(_matches(session, workspace_id, filter_, today))
    if after is None or snapshot is None:
        first = all_rows(parts_by_value(query, order))
        rows = session.execute(with_snapshot(select(first), workspace_id)).all()
    else:
        key, named = {"account_id": Account.account_id}, {"mrr_cents": KNOWN_MRR_CENTS}
        past = PastValues(workspace_id, snapshot, key, order.column, named)
        if past.has_many(session):
            everything, column = past.past_rows(query)
            by_past_value = select_by_past_value(everything, replace(order, column=column))
            return session.execute(by_past_value).all()
        changed, column = past.changed_rows(query)
        changed = select_by_past_value(changed, replace(order, column=column))
        parts = parts_by_value(query.where(past.is_unchanged), order)
        rows = session.execute(select(all_rows([*parts, changed.cte("changed")]))).all()
    return merge_rows(
        rows,
        (),
        value=lambda row: row.sort_value,
        key=lambda row: row.account_id,
        descending=descending,
        limit=limit,
    )


def load_totals(
    session: Session, workspace_id: str, filters: Sequence[Filter], *, today: date
) -> Sequence[AccountTotal]:
    """Return the totals of the accounts that match each filter, all in one query."""
    if not filters:
        return []
    conditions = [_matches(session, workspace_id, each, today) for each in filters]
    sums = [
        aggregate
        for condition in conditions
        for aggregate in (
            func.count().filter(condition),
            func.coalesce(func.sum(HealthScore.mrr_cents).filter(condition, ~HAS_NO_RATE), 0),
            func.count().filter(condition, HAS_NO_RATE),
            *(
                func.coalesce(
                    func.sum(amount).filter(condition, ~HAS_NO_RATE, REVENUE_BASIS.in_([basis])), 0
                )
                for basis, amount in AT_RISK_PARTS
            ),
        )
    ]
    row = session.execute(_join_scores(select(*sums), workspace_id)).one()
    width = len(sums) // len(filters)
    return [AccountTotal(*map(int, row[i : i + width])) for i in range(0, len(row), width)]


def load_matching_ids(
    session: Session,
    workspace_id: str,
    filter_: Filter,
    account_ids: Collection[str],
    *,
    today: date,
) -> set[str]:
    """Return those of the given accounts that match a filter."""
    query = _join_scores(select(Account.account_id), workspace_id).where(
        Account.account_id.in_(account_ids), _matches(session, workspace_id, filter_, today)
    )
    return set(session.scalars(query))


def _matches(session: Session, workspace_id: str, filter_: Filter, today: date) -> SqlCondition:
    return filter_condition(
        session,
        workspace_id,
        filter_,
        today,
        column_of=COLUMNS.get,
        scores=HealthScore.__table__.columns,
    )


def filter_condition(
    session: Session,
    workspace_id: str,
    filter_: Filter,
    today: date,
    *,
    column_of: Callable[[str], Column | None],
    scores: ReadOnlyColumnCollection[str, Any],
) -> SqlCondition:
    """Return a filter as SQL. Unless it has a ``status``, hide churned and excluded accounts.

    Old ids of accounts in the filter are replaced by the current ids. ``column_of``: the column of
    a field; None leaves the field to the columns of today. ``scores``: the columns of the score.
    """
    if ids := exact_values(filter_, ACCOUNT_ID_FIELDS):
        new_ids = current_ids(session, workspace_id, ids)
        filter_ = replace_exact_values(filter_, ACCOUNT_ID_FIELDS, new_ids)

    def find_column(field: str) -> Column | MultiValueField:
        found = column_of(field)
        return _open_field(field, scores["details"]) if found is None else found

    condition = sql_condition(resolve_relative_days(filter_, today), find_column)
    has_status = "status" in fields_of(filter_)
    status = func.coalesce(scores["status"], "insufficient_data")
    return condition if has_status else and_(status.not_in(HIDDEN_STATUSES), condition)


def _join_scores(query: Select[*tuple[Any, ...]], workspace_id: str) -> Select[*tuple[Any, ...]]:
    scored = query.join_from(Account, HealthScore, SCORE_JOIN, isouter=True)
    with_risks = scored.join(ChurnRisk, RISK_JOIN, isouter=True)
    return with_risks.where(Account.workspace_id == workspace_id)


def _open_field(field: str, details: Column) -> Column | MultiValueField:
    """Return the column of a trait, a measure or an external id."""
    prefix, _, name = field.partition(".")
    if prefix == "traits":
        return Account.traits[name]
    if prefix == "measures":
        variables = func.jsonb_build_object("name", name)
        path = cast(MEASURE_SCORE_PATH, JSONPATH)
        return func.jsonb_path_query_first(details, path, variables, type_=JSONB)
    return _external_ids(name)


def _external_ids(system: str) -> MultiValueField:
    of_account = and_(same_account(ExternalId, Account), ExternalId.system == system)
    value = ExternalId.__table__.columns["external_id"]
    return MultiValueField(value, lambda condition: exists().where(of_account, condition))
