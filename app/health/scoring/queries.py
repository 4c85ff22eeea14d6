"""Queries that lock, write and read scores and their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Row, and_, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from app.accounts.refresh_queue import FAILURES_UNTIL_PARKED
from app.accounts.tables import Account, ParkedAccount
from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, keyset, same_account
from app.core.sql import load_sql
from app.features.values import AccountFeatures
from app.health.scoring.assess import Assessment
from app.health.scoring.post_processing import TREND_DAYS, LastScore, Override
from app.health.tables import KNOWN_MRR_CENTS, HealthHistory, HealthScore, ScoreOverride

SQL = load_sql(__file__)


@dataclass(frozen=True, slots=True)
class ChangedScore:
    """The newest score of an account that changed. ``before``: as the change feed recorded last."""

    account_id: str
    before: float | None
    band_before: str | None
    score: float | None
    band: str
    status: str


def lock_scores(session: Session, workspace_id: str, account_ids: Sequence[str]) -> None:
    """Lock the score rows of a set of accounts in key order; insert missing rows first."""
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids)}
    session.execute(SQL.ensure_scores, values)
    session.execute(SQL.lock_scores, values)


def write_scores(
    session: Session,
    workspace_id: str,
    assessments: Sequence[Assessment],
    *,
    as_of: date,
    now: datetime,
    is_past: bool,
) -> Sequence[ChangedScore]:
    """Write the newest scores and their history rows; for a past day only missing history rows.

    Return the scores that moved by a point or changed band or status since the change feed last
    recorded them, in key order.
    """
    day = {"workspace_id": workspace_id, "as_of": as_of}
    values = day | {"now": now, "rows": orjson.dumps(assessments).decode()}
    if is_past:
        session.execute(SQL.close_day, values)
        return []
    changed = [ChangedScore(*row) for row in session.execute(SQL.write_scores, values)]
    written = [each.account_id for each in assessments]
    session.execute(SQL.follow_scores, day | {"account_ids": written})
    return changed


def load_last_scores(
    session: Session, workspace_id: str, account_ids: Sequence[str]
) -> dict[str, LastScore]:
    """Return the newest stored scores by account."""
    rows = session.execute(
        select(
            HealthScore.account_id,
            HealthScore.score,
            HealthScore.band,
            HealthScore.coverage,
            HealthScore.details,
        ).where(HealthScore.workspace_id == workspace_id, HealthScore.account_id.in_(account_ids))
    )
    return {row[0]: LastScore(*row[1:]) for row in rows}


def load_overrides_at(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, at: datetime
) -> dict[str, Override]:
    """Return the overrides in effect at an instant, by account."""
    rows = session.scalars(
        select(ScoreOverride)
        .where(
            ScoreOverride.workspace_id == workspace_id,
            ScoreOverride.account_id.in_(account_ids),
            ScoreOverride.created_at <= at,
            ScoreOverride.expires_at > at,
            func.coalesce(ScoreOverride.ended_at > at, True),
        )
        .order_by(ScoreOverride.id)
    )
    return {x.account_id: Override(x.value, x.reason, x.author, x.expires_at) for x in rows}


def load_earlier_scores(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date
) -> dict[str, dict[int, float]]:
    """Return the scores 7, 28 and 90 days before a day, by account and number of days.

    Without a row on that day, use the nearest row of the six days before it.
    """
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids)}
    days_before = {"days": list(TREND_DAYS), "as_of": as_of}
    scores: dict[str, dict[int, float]] = {}
    for account_id, days, score in session.execute(SQL.earlier_scores, values | days_before):
        scores.setdefault(account_id, {})[days] = score
    return scores


def load_current_inputs(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, definition: str, as_of: date
) -> list[AccountFeatures]:
    """Return the inputs of the newest scores that are of ``as_of`` and of ``definition``, a digest.

    A frozen score is left out: its inputs are of an older day.
    """
    rows = session.scalars(
        select(HealthScore.details["inputs"]).where(
            HealthScore.workspace_id == workspace_id,
            HealthScore.account_id.in_(account_ids),
            HealthScore.as_of == as_of,
            HealthScore.details["definition"].astext == definition,
            HealthScore.details["inputs_on"].astext == as_of.isoformat(),
        )
    )
    return [AccountFeatures.from_json(row) for row in rows]


def load_inputs_on(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, day: date
) -> list[AccountFeatures]:
    """Return the inputs of the last scores of a past day, from original rows, not restated ones."""
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids), "day": day}
    return [AccountFeatures.from_json(row) for row in session.scalars(SQL.inputs_on, values)]


def list_account_ids(session: Session, workspace_id: str) -> Sequence[str]:
    """Return the ids of all accounts of a workspace, in key order."""
    ids = select(Account.account_id).filter_by(workspace_id=workspace_id)
    return session.scalars(ids.order_by(Account.account_id)).all()


ACCOUNT_HEALTH = select(
    Account.account_id,
    Account.name,
    Account.segment,
    Account.owner,
    HealthScore.as_of,
    HealthScore.score,
    func.coalesce(HealthScore.band, "unknown").label("band"),
    func.coalesce(HealthScore.status, "insufficient_data").label("status"),
    func.coalesce(HealthScore.coverage, 0.0).label("coverage"),
    KNOWN_MRR_CENTS.label("mrr_cents"),
    HealthScore.price_status,
    func.coalesce(HealthScore.plan, Account.plan).label("plan"),
    HealthScore.details,
    HealthScore.data_through,
    HealthScore.computed_at,
    ParkedAccount.error.label("parked_error"),
    ParkedAccount.failed_at.label("parked_at"),
).join_from(Account, HealthScore, same_account(HealthScore, Account), isouter=True)
ACCOUNT_HEALTH = ACCOUNT_HEALTH.outerjoin(
    ParkedAccount,
    and_(
        same_account(ParkedAccount, Account),
        ParkedAccount.failures >= FAILURES_UNTIL_PARKED,
    ),
)

AccountHealth = Row[*tuple[Any, ...]]

CHILD = Account.__table__.alias("child").c
HAS_CHILDREN = (
    select(1)
    .where(CHILD.workspace_id == Account.workspace_id, CHILD.parent_id == Account.account_id)
    .exists()
    .label("has_children")
)
"""Whether an account has child accounts: one lookup in the index of accounts with a parent."""

ONE_ACCOUNT_HEALTH = ACCOUNT_HEALTH.where(
    Account.workspace_id == bindparam("workspace_id"), Account.account_id == bindparam("account_id")
)


def get_account_health(session: Session, workspace_id: str, account_id: str) -> AccountHealth:
    key = {"workspace_id": workspace_id, "account_id": account_id}
    row = session.execute(ONE_ACCOUNT_HEALTH, key).one_or_none()
    if row is None:
        raise NotFoundError("account", account_id)
    return row


def list_history(
    session: Session,
    workspace_id: str,
    account_id: str,
    paging: Paging,
    *,
    since: date,
    until: date,
    original: bool = False,
) -> RowPage[HealthHistory]:
    """Return a page of history rows, oldest first; a day has several if the band changed.

    Restated days are returned as last restated, or with ``original`` as first written.
    """
    other = aliased(HealthHistory)
    newest = select(func.max(other.restatement)).where(
        same_account(other, HealthHistory), other.as_of == HealthHistory.as_of
    )
    rows = select(HealthHistory).filter_by(workspace_id=workspace_id, account_id=account_id)
    rows = rows.where(
        HealthHistory.as_of.between(since, until),
        HealthHistory.restatement == (0 if original else newest.scalar_subquery()),
    )
    return fetch_page(session, rows, HealthHistory.as_of, HealthHistory.change, paging=paging)


def find_history_row(
    session: Session, workspace_id: str, account_id: str, *, day: date
) -> HealthHistory | None:
    """Return the last row of a day or else of the nearest day before, as last restated."""
    rows = select(HealthHistory).filter_by(workspace_id=workspace_id, account_id=account_id)
    newest = (HealthHistory.as_of, HealthHistory.restatement, HealthHistory.change)
    rows = rows.where(HealthHistory.as_of <= day)
    return session.scalar(keyset(rows, *newest, after=None, limit=1, descending=True))


def find_history_rows(
    session: Session, workspace_id: str, account_id: str, *, days: Sequence[date]
) -> Sequence[HealthHistory | None]:
    """Return for each day what ``find_history_row`` returns, in one statement."""
    values = {"workspace_id": workspace_id, "account_id": account_id, "days": list(days)}
    rows = session.scalars(select(HealthHistory).from_statement(SQL.history_rows_of_days), values)
    newest = sorted(rows, key=lambda row: (row.as_of, row.restatement, row.change), reverse=True)
    return [next((row for row in newest if row.as_of <= day), None) for day in days]


def load_history_rows(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, day: date
) -> dict[str, HealthHistory]:
    """Return by account the last row of a day or else of the nearest before, as first written."""
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids), "day": day}
    rows = session.scalars(
        select(HealthHistory).from_statement(SQL.history_rows_on),
        values,
        execution_options={"populate_existing": True},
    )
    return {row.account_id: row for row in rows}
