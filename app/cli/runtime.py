"""What commands share: settings, database and clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.orm import Session

from app import serving
from app.core import logs, session_settings
from app.core.clock import Clock, shifted_clock
from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.settings import Settings

ACTOR = "cli"
"""The actor of audit entries for changes by commands."""


def load_settings() -> Settings:
    """Read the settings and configure the logs by them."""
    settings = Settings()
    logs.configure(settings.log_level)
    return settings


@contextmanager
def open_database() -> Iterator[tuple[SessionFactory, Clock, Settings]]:
    """Connect to the configured database, else start and migrate the embedded one."""
    settings = load_settings()
    with (
        serving.database(settings) as url,
        serving.engine_to(settings, url, pool_size=5) as engine,
    ):
        session_settings.expect_session_settings(engine)
        clock = shifted_clock(settings.clock_offset_seconds)
        yield create_session_factory(engine), clock, settings


@contextmanager
def open_transaction() -> Iterator[tuple[Session, datetime]]:
    """Open one transaction; yield its session and the time."""
    with open_database() as (sessions, clock, _), transaction(sessions) as session:
        yield session, clock()
