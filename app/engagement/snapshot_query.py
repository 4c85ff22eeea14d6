"""The accounts and the day of a snapshot of engagement, and how its statements are executed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Result, Row, TextClause
from sqlalchemy.orm import Session

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SnapshotQuery:
    """The accounts and the day of a snapshot."""

    session: Session
    workspace_id: str
    account_ids: Sequence[str]
    as_of: date

    @property
    def day_end(self) -> datetime:
        return datetime.combine(self.as_of + DAY, time.min, UTC)

    def rows(self, statement: TextClause, **values: object) -> Sequence[Row[Any]]:
        return self.execute(statement, **values).all()

    def execute(self, statement: TextClause, **values: object) -> Result[Any]:
        """Execute a statement. ``days`` is passed as ``since``: so many days before ``day_end``."""
        if days := values.pop("days", None):
            values["since"] = self.day_end - timedelta(days=int(str(days)))
        parameters = {
            "workspace_id": self.workspace_id,
            "account_ids": list(self.account_ids),
            "as_of": self.as_of,
            "day_end": self.day_end,
        }
        return self.session.execute(statement, parameters | values)
