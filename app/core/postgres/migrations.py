"""Run the Alembic migrations and check that the schema is up to date."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError, SQLAlchemyError

from app.core.db import SessionFactory
from app.core.errors import UnprocessableError
from app.core.postgres.session_settings import find_ignored_setting

if TYPE_CHECKING:
    from alembic.config import Config

PROJECT_DIR = Path(__file__).parents[3]
MIGRATION_LOCK = 7_316_402
HEAD = "0056"
"""The newest revision. A test compares it with the scripts: loading Alembic takes half a second."""

CURRENT_REVISION = text("SELECT version_num FROM alembic_version")

READ_ONLY = text("SELECT current_setting('transaction_read_only')")
WRITE_PROBE = (
    text("SET LOCAL work_mem = '64kB'"),
    text("SELECT n FROM generate_series(1, 20000) AS n ORDER BY n DESC LIMIT 1 OFFSET 10000"),
)
"""Sorts more than fits into memory. A full disk has no room for the file; nothing of it stays."""


class NewerSchemaError(UnprocessableError):
    """The schema of the database was made by a newer version of the service."""


class NoMigrationsError(UnprocessableError):
    """The migrations are not where the service looks for them."""


def alembic_config() -> "Config":
    """Find the migrations beside the code, or in the working directory (in the image)."""
    from alembic.config import Config  # noqa: PLC0415 - only processes that migrate load it

    for folder in (PROJECT_DIR, Path.cwd()):
        if (folder / "alembic.ini").exists():
            return Config(folder / "alembic.ini")
    raise NoMigrationsError(
        f"There is no alembic.ini in {PROJECT_DIR} or {Path.cwd()}: run the command in the folder"
        " that has alembic.ini and migrations."
    )


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate the schema to a revision; processes that start together wait for the first one."""
    from alembic import command  # noqa: PLC0415 - only processes that migrate load it

    settings = alembic_config()
    with engine.begin() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        _expect_known_revision(connection)
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def _expect_known_revision(connection: Connection) -> None:
    """Raise ``NewerSchemaError`` if the database is ahead of this version of the service."""
    has_table = connection.scalar(text("SELECT to_regclass('alembic_version')"))
    current = connection.scalar(CURRENT_REVISION) if has_table else None
    if current is not None and current > HEAD:
        raise NewerSchemaError(
            f"The database has schema {current}, and this version of the service knows schemas up"
            f" to {HEAD}: start the newer version, or restore a backup made before its migration."
        )


def readiness_checks(
    sessions: SessionFactory, *, on_error: Callable[[DBAPIError], None] | None = None
) -> dict[str, bool]:
    """Check that the database answers, that it has the schema, and that it applies our settings.

    A newer schema is good too: migrations keep it usable for the version before them, so that this
    process can serve until it is replaced.
    """
    try:
        with sessions() as session:
            ignored = find_ignored_setting(session)
            current = session.scalar(CURRENT_REVISION)
    except ProgrammingError:  # there is no such table yet
        return {"database": True, "migrations": False}
    except SQLAlchemyError as error:
        if on_error and isinstance(error, DBAPIError):
            on_error(error)
        return {"database": False, "migrations": False}
    has_schema = current is not None and current >= HEAD
    return {
        "database": True,
        "migrations": has_schema,
        "session_settings": ignored is None,
        "writes": _can_write(sessions),
    }


def _can_write(sessions: SessionFactory) -> bool:
    """Whether the database takes writes: it is not read-only, and its disk is not full."""
    try:
        with sessions() as session:
            for statement in WRITE_PROBE:
                session.execute(statement)
            return bool(session.scalar(READ_ONLY) == "off")
    except SQLAlchemyError:
        return False
