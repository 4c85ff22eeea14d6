"""Tell failures of the database from errors of what it was to do, and what they leave unknown."""

from typing import Self

from sqlalchemy.exc import DBAPIError, OperationalError

CONNECTION_FAILURES = ("08", "57P")
"""Prefixes of the SQL states with which the server ends a connection."""


class UnknownCommitError(OperationalError):
    """All of the work, or a part of it, may be committed."""

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Return an error of the database as one whose outcome is unknown."""
        cause = getattr(error, "orig", error)
        return cls(None, None, cause, hide_parameters=True, connection_invalidated=True)


def is_connection_lost(error: DBAPIError) -> bool:
    """Whether the connection ended before the server answered the statement."""
    state = getattr(error.orig, "sqlstate", None)
    return state.startswith(CONNECTION_FAILURES) if state else error.connection_invalidated


def is_outage(error: Exception) -> bool:
    """Whether the database failed, or ended the connection, as that of a process that hung."""
    is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_lost or isinstance(error, OperationalError)
