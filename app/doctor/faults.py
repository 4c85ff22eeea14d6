"""What a check reports."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, rolled_back_transaction, transaction


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that an older version stored wrongly. Its text holds no personal data.

    ``repair``: what the repair does; None: nothing stored tells what would be right.
    """

    account_id: str
    found: str
    repair: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """One run over a workspace. ``dry``: only report. A repair is known from the day of ``now``."""

    sessions: SessionFactory
    workspace_id: str
    now: datetime
    dry: bool

    def repair(self) -> AbstractContextManager[Session]:
        """Open the transaction of a repair, which a dry run rolls back."""
        return (rolled_back_transaction if self.dry else transaction)(self.sessions)


Check = Callable[[Run], Iterator[Fault]]
"""Yields each fault when its repair is committed, or found in a dry run."""
