"""Explain the errors that a user of the command line can act on."""

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from app.core.errors import ProblemError
from app.imports.mapping import MappingError


def explain(error: Exception) -> str | None:
    """Return one sentence for an expected error, None for a bug."""
    match error:
        case ProblemError() | MappingError():
            return str(error)
        case ValidationError():
            first = error.errors()[0]
            name = "_".join(map(str, first["loc"])).upper()
            return f"HEALTH_{name}: {first['msg']}"
        case DBAPIError():
            return f"Database: {str(error.orig).strip().splitlines()[0]}"
    return None
