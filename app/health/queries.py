from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Row,
    SQLColumnExpression,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.core.errors import NotFoundError
from app.health import statements
from app.health.assess import Assessment
from app.health.benchmark import Benchmark as FittedBenchmark
from app.health.filters import AccountFilter, Sort
from app.health.tables import Benchmark, HealthHistory, HealthScore, Scorecard

BENCHMARK_LOCK = 7_316_404


def lock_scores(session: Session, workspace_id: str, account_ids: Sequence[str]) -> None:
    """Lock the score rows of a set in key order, making those that do not exist."""
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids)}
    session.execute(statements.ENSURE_SCORES, values)
    session.execute(statements.LOCK_SCORES, values)


def write_scores(
    session: Session,
    workspace_id: str,
    assessments: Sequence[Assessment],
    *,
    as_of: date,
    now: datetime,
    closed: bool,
) -> None:
    """Write history, and for a day that is not over the newest score as well."""
    values = {
        "workspace_id": workspace_id,
        "as_of": as_of,
        "now": now,
        "rows": orjson.dumps(assessments).decode(),
    }
    session.execute(statements.WRITE_HISTORY, values | {"closed": closed})
    if not closed:
        session.execute(statements.WRITE_SCORES, values)


def scorecard(session: Session, workspace_id: str) -> Scorecard | None:
    """Return the newest version."""
    return session.scalar(
        select(Scorecard)
        .where(Scorecard.workspace_id == workspace_id)
        .order_by(Scorecard.version.desc())
        .limit(1)
    )


def lock_benchmarks(session: Session, workspace_id: str) -> None:
    """Let one transaction build benchmarks of a workspace at a time."""
    lock = text("SELECT pg_advisory_xact_lock(:lock, hashtext(:workspace_id))")
    session.execute(lock, {"lock": BENCHMARK_LOCK, "workspace_id": workspace_id})


def benchmarks(
    session: Session, workspace_id: str, *, month: date, definition: str, now: datetime
) -> Sequence[Benchmark]:
    """Return those that still hold: a provisional one holds on the day that it was built."""
    rows = session.scalars(
        select(Benchmark).where(
            Benchmark.workspace_id == workspace_id,
            Benchmark.month == month,
            Benchmark.definition == definition,
        )
    ).all()
    if any(row.provisional and row.computed_at.date() != now.date() for row in rows):
        return []
    return rows


def put_benchmarks(
    session: Session,
    workspace_id: str,
    fitted: Mapping[str, FittedBenchmark],
    *,
    month: date,
    definition: str,
    provisional: bool,
    now: datetime,
) -> None:
    session.execute(
        delete(Benchmark).where(
            Benchmark.workspace_id == workspace_id,
            Benchmark.month == month,
            Benchmark.definition == definition,
        )
    )
    rows = [
        {
            "workspace_id": workspace_id,
            "segment": segment,
            "month": month,
            "definition": definition,
            "config": benchmark.to_json(),
            "provisional": provisional,
            "computed_at": now,
        }
        for segment, benchmark in fitted.items()
    ]
    session.execute(insert(Benchmark), rows)


def drop_benchmarks(session: Session, workspace_id: str, *, since: date) -> None:
    """Forget benchmarks that history arriving afterwards would change; they are built again."""
    session.execute(
        delete(Benchmark).where(Benchmark.workspace_id == workspace_id, Benchmark.month > since)
    )


def account_ids(session: Session, workspace_id: str) -> Sequence[str]:
    """Return every account of a workspace, in key order."""
    return session.scalars(
        select(Account.account_id)
        .where(Account.workspace_id == workspace_id)
        .order_by(Account.account_id)
    ).all()


STANDING = select(
    Account.account_id,
    Account.name,
    Account.segment,
    Account.owner,
    HealthScore.as_of,
    HealthScore.score,
    func.coalesce(HealthScore.band, "unknown").label("band"),
    func.coalesce(HealthScore.status, "insufficient_data").label("status"),
    func.coalesce(HealthScore.coverage, 0.0).label("coverage"),
    func.coalesce(HealthScore.mrr_cents, 0).label("mrr_cents"),
    func.coalesce(HealthScore.plan, Account.plan).label("plan"),
    HealthScore.details,
    HealthScore.data_through,
    HealthScore.computed_at,
).join_from(
    Account,
    HealthScore,
    and_(
        HealthScore.workspace_id == Account.workspace_id,
        HealthScore.account_id == Account.account_id,
    ),
    isouter=True,
)

Standing = Row[*tuple[Any, ...]]


ONE_STANDING = STANDING.where(
    Account.workspace_id == bindparam("workspace_id"), Account.account_id == bindparam("account_id")
)


def standing(session: Session, workspace_id: str, account_id: str) -> Standing:
    asked = {"workspace_id": workspace_id, "account_id": account_id}
    found = session.execute(ONE_STANDING, asked).one_or_none()
    if found is None:
        raise NotFoundError("account", account_id)
    return found


def standings(session: Session, workspace_id: str, ids: Sequence[str]) -> Sequence[Standing]:
    """Return the newest scores of accounts, in key order; unknown ids are left out."""
    return session.execute(
        STANDING.where(Account.workspace_id == workspace_id, Account.account_id.in_(ids)).order_by(
            Account.account_id
        )
    ).all()


def list_standings(
    session: Session,
    workspace_id: str,
    wanted: AccountFilter,
    *,
    after: tuple[float | str | None, str] | None,
    limit: int,
) -> Sequence[Standing]:
    """List accounts in the order of one column and the key; null sorts last either way."""
    column: SQLColumnExpression[Any] = {
        Sort.SCORE: HealthScore.score,
        Sort.MRR: func.coalesce(HealthScore.mrr_cents, 0),
        Sort.NAME: Account.name,
        Sort.ACCOUNT_ID: Account.account_id,
    }[wanted.sort]
    found = STANDING.where(Account.workspace_id == workspace_id, *_conditions(wanted))
    if after is not None:
        found = found.where(_beyond(column, *after, descending=wanted.descending))
    order = column.desc() if wanted.descending else column.asc()
    return session.execute(
        found.order_by(order.nulls_last(), Account.account_id).limit(limit)
    ).all()


def _beyond(
    column: SQLColumnExpression[Any],
    value: float | str | None,
    account_id: str,
    *,
    descending: bool,
) -> ColumnElement[bool]:
    """Select what comes after a place in a list whose nulls come last."""
    if value is None:
        return and_(column.is_(None), Account.account_id > account_id)
    later = column < value if descending else column > value
    same = and_(column == value, Account.account_id > account_id)
    return or_(later, column.is_(None), same)


def history(
    session: Session,
    workspace_id: str,
    account_id: str,
    *,
    since: date,
    until: date,
    after: tuple[date, int] | None,
    limit: int,
) -> Sequence[HealthHistory]:
    """Oldest first; several rows on a day whose band changed."""
    place = tuple_(HealthHistory.as_of, HealthHistory.change)
    rows = select(HealthHistory).where(
        HealthHistory.workspace_id == workspace_id,
        HealthHistory.account_id == account_id,
        HealthHistory.as_of.between(since, until),
    )
    if after is not None:
        rows = rows.where(place > after)
    return session.scalars(rows.order_by(place).limit(limit)).all()


def _conditions(wanted: AccountFilter) -> list[ColumnElement[bool]]:
    status = func.coalesce(HealthScore.status, "insufficient_data")
    conditions = [
        func.coalesce(HealthScore.band, "unknown") == wanted.band if wanted.band else None,
        Account.segment == wanted.segment if wanted.segment is not None else None,
        Account.owner == wanted.owner if wanted.owner is not None else None,
        func.coalesce(HealthScore.plan, Account.plan) == wanted.plan
        if wanted.plan is not None
        else None,
        HealthScore.mrr_cents >= wanted.min_mrr_cents if wanted.min_mrr_cents else None,
        status == wanted.status if wanted.status else status.not_in(["churned", "excluded"]),
    ]
    return [condition for condition in conditions if condition is not None] or [true()]
