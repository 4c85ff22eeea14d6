"""What every command works with: settings, database, clock, and bars for long work."""

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
from app.core.db import SessionFactory, create_session_factory
from app.core.errors import NotFoundError
from app.core.settings import Settings
from app.demo import load as demo_load
from app.workspaces import queries
from app.workspaces.tables import ApiKey, Workspace

console = Console()


def configured() -> Settings:
    settings = Settings()
    logs.configure(settings.log_level)
    return settings


@contextmanager
def opened() -> Iterator[tuple[SessionFactory, Clock, Settings]]:
    settings = configured()
    with serving.database(settings) as url, serving.engine_to(url, pool_size=5) as engine:
        yield create_session_factory(engine), shifted_clock(settings.clock_offset_seconds), settings


def find_workspace(session: Session, workspace_id: str) -> Workspace:
    found = queries.find_workspace(session, workspace_id)
    if found is None:
        raise NotFoundError("workspace", workspace_id)
    return found


def find_key(session: Session, key_id: str) -> ApiKey:
    found = queries.find_key_in_any_workspace(session, key_id)
    if found is None:
        raise NotFoundError("API key", key_id)
    return found


def day_of(instant: datetime | None) -> str:
    return instant.isoformat(timespec="minutes") if instant else ""


def bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )


def file_bar(progress: Progress) -> Callable[[Mapping[str, Any]], None]:
    """Make a bar over the bytes of a file's content."""
    task = progress.add_task("importing", total=None, note="")

    def advance(done: Mapping[str, Any]) -> None:
        speed = done["rows"] / max(done["seconds"], 0.001)
        note = f"{done['rows']:,} rows, {speed:,.0f}/s"
        progress.update(task, completed=done["bytes"], total=done["bytes_total"], note=note)

    return advance


def step_bars(progress: Progress) -> demo_load.Progress:
    """Make a bar for each kind of step, when the first of it is done."""
    tasks: dict[str, TaskID] = {}

    def advance(what: str, done: int, whole: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=whole, note="")
        progress.update(tasks[what], completed=done)

    return advance
