"""What commands say to somebody who has no workspace yet."""

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.cli.hints import print_hint, program
from app.core.db import create_session_factory, transaction
from app.workspaces import queries


def suggest_workspace(engine: Engine) -> None:
    """Say how to create a workspace if there is none; without a database say nothing."""
    try:
        with transaction(create_session_factory(engine)) as session:
            is_empty = not queries.has_workspaces(session)
    except SQLAlchemyError:
        return
    if is_empty:
        print_hint(
            "There is no workspace yet. Create one in another terminal, with the same settings:"
            f" {program()} workspace create NAME"
        )
