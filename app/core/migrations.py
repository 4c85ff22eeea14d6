"""The schema's version: bring it to the newest, and tell whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.db import SessionFactory

PROJECT_DIR = Path(__file__).parent.parent.parent
MIGRATION_LOCK = 7_316_402


def alembic_config() -> Config:
    """Find the migrations beside the code, or where the service is started (in the image)."""
    root = next(folder for folder in (PROJECT_DIR, Path.cwd()) if (folder / "alembic.ini").exists())
    return Config(root / "alembic.ini")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to a revision; processes that start together wait for the first."""
    settings = alembic_config()
    with engine.begin() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def readiness_checks(sessions: SessionFactory) -> dict[str, bool]:
    """Whether the database answers, and whether its schema is the one this code was made for."""
    newest = ScriptDirectory.from_config(alembic_config()).get_current_head()
    try:
        with sessions() as session:
            current = MigrationContext.configure(session.connection()).get_current_revision()
    except SQLAlchemyError:
        return {"database": False, "migrations": False}
    return {"database": True, "migrations": current == newest}
