"""What commands share: settings, database and clock."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from pydantic_settings import DotEnvSettingsSource
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import serving
from app.core import logs, parent_process
from app.core.clock import Clock, DatabaseClock
from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.errors import UnprocessableError
from app.core.postgres import session_settings
from app.core.settings import Settings, unknown_names

log = logs.get_logger()

ACTOR = "cli"
"""The actor of audit entries for changes by commands."""


def load_settings() -> Settings:
    """Read the settings and configure the logs by them; warn of names that are no settings."""
    if os.environ.get("HEALTH_DATABASE_URL") == "":
        raise UnprocessableError(
            "HEALTH_DATABASE_URL is empty: set it to a postgresql:// URL, or unset it to use a"
            " private database."
        )
    try:
        settings = Settings()
        names = {*os.environ, *DotEnvSettingsSource(Settings).env_vars}
    except UnicodeDecodeError:
        raise UnprocessableError(
            "The file .env in the working directory is not UTF-8: save it as UTF-8."
        ) from None
    logs.configure(settings.log_level)
    if not parent_process.is_child():
        for name, near in unknown_names(names).items():
            log.warning("unknown_setting", setting=name, nearest=near)
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
        clock = DatabaseClock(settings.clock_offset_seconds)
        sessions = create_session_factory(engine, renewal_grace_days=settings.renewal_grace_days)
        with suppress(SQLAlchemyError):  # a worker starts, and waits for an absent database
            clock.read(sessions)
        yield sessions, clock, settings


@contextmanager
def open_transaction() -> Iterator[tuple[Session, datetime]]:
    """Open one transaction; yield its session and the time."""
    with open_database() as (sessions, clock, _), transaction(sessions) as session:
        yield session, clock()
