"""Check that the database applies the settings that each connection asks for at its start.

A connection pooler may ignore them, or give each transaction another session. Then time-outs do
not hold, and prepared statements of other clients turn up: a part of the requests would fail.
"""

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.errors import UnprocessableError
from app.core.postgres.engines import STATEMENT_TIMEOUT_OPTION

STATEMENT_TIMEOUT = text("SELECT setting FROM pg_settings WHERE name = 'statement_timeout'")


class SessionSettingsError(UnprocessableError):
    """The database ignores the settings of its sessions."""


def find_ignored_setting(session: Session) -> str | None:
    """Return what the database made of the statement time-out, or None if it is right."""
    wanted = session.connection().get_execution_options().get(STATEMENT_TIMEOUT_OPTION)
    found = int(session.scalar(STATEMENT_TIMEOUT))
    if wanted is None or found == wanted:
        return None
    return f"SHOW statement_timeout gives {found} ms instead of {wanted} ms"


def expect_session_settings(engine: Engine) -> None:
    """Raise ``SessionSettingsError`` if settings are ignored; an absent database is no reason."""
    try:
        with Session(engine) as session:
            ignored = find_ignored_setting(session)
    except SQLAlchemyError:
        return
    if ignored:
        raise SessionSettingsError(
            f"The database ignores the settings of its connections: {ignored}. Connect to"
            " PostgreSQL without a pooler, or set up the pooler as docs/operations.md says under"
            " Connection poolers."
        )
