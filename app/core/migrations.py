"""Run the Alembic migrations and check that the schema is up to date."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from app.core.db import SessionFactory

if TYPE_CHECKING:
    from alembic.config import Config

PROJECT_DIR = Path(__file__).parent.parent.parent
MIGRATION_LOCK = 7_316_402
HEAD = "0026"
"""The newest revision. A test compares it with the scripts: loading Alembic takes half a second."""


def alembic_config() -> "Config":
    """Find the migrations beside the code, or in the working directory (in the image)."""
    from alembic.config import Config  # noqa: PLC0415 - only processes that migrate load it

    root = next(folder for folder in (PROJECT_DIR, Path.cwd()) if (folder / "alembic.ini").exists())
    return Config(root / "alembic.ini")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate the schema to a revision; processes that start together wait for the first one."""
    from alembic import command  # noqa: PLC0415 - only processes that migrate load it

    settings = alembic_config()
    with engine.begin() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def readiness_checks(sessions: SessionFactory) -> dict[str, bool]:
    """Check that the database answers and that its schema is the newest revision."""
    try:
        with sessions() as session:
            current = session.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:  # there is no such table yet
        return {"database": True, "migrations": False}
    except SQLAlchemyError:
        return {"database": False, "migrations": False}
    return {"database": True, "migrations": current == HEAD}
