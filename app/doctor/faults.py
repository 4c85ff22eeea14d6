"""What a check reports."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from app.core.db import SessionFactory


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


Check = Callable[[Run], Iterator[Fault]]
"""Yields each fault when its repair is committed, or found in a dry run."""
