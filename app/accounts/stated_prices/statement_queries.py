"""Read and write what events state about the prices of accounts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.stated_prices.replay import Cancellation, DayStatement, Stated
from app.accounts.tables import PriceStatement

KEY = ("workspace_id", "account_id", "day")


def load_statements(
    session: Session, workspace_id: str, account_id: str
) -> dict[date, DayStatement]:
    """Return what events state about an account, by day."""
    rows = session.scalars(
        select(PriceStatement)
        .filter_by(workspace_id=workspace_id, account_id=account_id)
        .execution_options(populate_existing=True)
    )
    return {row.day: _statement(row) for row in rows}


def _statement(row: PriceStatement) -> DayStatement:
    end = None
    if row.cancelled_at is not None and row.ends_on is not None:
        end = Cancellation(row.cancelled_at, row.ends_on, row.end_reason)
    return DayStatement(row.day, {name: _load(name, row.fields[name]) for name in row.fields}, end)


def _load(name: str, stated: Sequence[Any]) -> Stated:
    at, value = stated
    is_day = name == "renewal_on" and value is not None
    return datetime.fromisoformat(at), date.fromisoformat(value) if is_day else value


def write_statements(
    session: Session, workspace_id: str, account_id: str, statements: Sequence[DayStatement]
) -> None:
    key = {"workspace_id": workspace_id, "account_id": account_id}
    for statement in statements:
        columns = _columns(statement)
        row = insert(PriceStatement).values(**key, day=statement.day, **columns)
        session.execute(row.on_conflict_do_update(index_elements=KEY, set_=columns))


def _columns(statement: DayStatement) -> Mapping[str, Any]:
    end = statement.cancellation
    return {
        "fields": {name: _dump(stated) for name, stated in statement.fields.items()},
        "cancelled_at": end and end.at,
        "ends_on": end and end.ends_on,
        "end_reason": end and end.reason,
    }


def _dump(stated: Stated) -> list[Any]:
    at, value = stated
    return [at.isoformat(), value.isoformat() if isinstance(value, date) else value]
