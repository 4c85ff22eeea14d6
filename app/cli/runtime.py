"""What commands share: settings, database, clock, and progress bars."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy.orm import Session

from app import serving
from app.core import logs
from app.core.clock import Clock, shifted_clock
from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.settings import Settings

ACTOR = "cli"
"""The actor of audit entries for changes by commands."""

console = Console(highlight=False)


def load_settings() -> Settings:
    """Read the settings and configure the logs by them."""
    settings = Settings()
    logs.configure(settings.log_level)
    return settings


@contextmanager
def open_database() -> Iterator[tuple[SessionFactory, Clock, Settings]]:
    """Connect to the configured database, else start and migrate the embedded one."""
    settings = load_settings()
    with serving.database(settings) as url, serving.engine_to(url, pool_size=5) as engine:
        clock = shifted_clock(settings.clock_offset_seconds)
        yield create_session_factory(engine), clock, settings


@contextmanager
def open_transaction() -> Iterator[tuple[Session, datetime]]:
    """Open one transaction; yield its session and the time."""
    with open_database() as (sessions, clock, _), transaction(sessions) as session:
        yield session, clock()


def progress_bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )


def file_bar(progress: Progress) -> Callable[[Mapping[str, Any]], None]:
    """Add a bar that moves with the bytes of a file that have been read."""
    task = progress.add_task("importing", total=None, note="")

    def advance(done: Mapping[str, Any]) -> None:
        speed = done["rows"] / max(done["seconds"], 0.001)
        note = f"{done['rows']:,} rows, {speed:,.0f}/s"
        progress.update(task, completed=done["bytes"], total=done["bytes_total"], note=note)

    return advance


def step_bars(progress: Progress) -> Callable[[str, int, int], None]:
    """Add a bar for each kind of step when its first step is done."""
    tasks: dict[str, TaskID] = {}

    def advance(step: str, done: int, total: int) -> None:
        if step not in tasks:
            tasks[step] = progress.add_task(step, total=total, note="")
        progress.update(tasks[step], completed=done)

    return advance
