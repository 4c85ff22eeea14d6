"""Tell failures of the database from errors of what it was to do."""

from sqlalchemy.exc import DBAPIError, OperationalError


def is_outage(error: Exception) -> bool:
    """Whether the database failed, or ended the connection, as that of a process that hung."""
    is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_lost or isinstance(error, OperationalError)
