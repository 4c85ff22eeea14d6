"""What commands say to somebody who has no workspace yet."""

from sqlalchemy.exc import SQLAlchemyError

from app import serving
from app.cli.hints import print_hint, program
from app.core.db import create_session_factory, transaction
from app.core.settings import Settings
from app.workspaces import queries


def suggest_workspace(settings: Settings, url: str) -> None:
    """Say how to create a workspace if there is none; without a database say nothing."""
    try:
        with (
            serving.engine_to(settings, url, pool_size=1) as engine,
            transaction(create_session_factory(engine)) as session,
        ):
            is_empty = not queries.list_workspaces(session)
    except SQLAlchemyError:
        return
    if is_empty:
        print_hint(
            "There is no workspace yet. Create one in another terminal, with the same settings:"
            f" {program()} workspace create NAME"
        )
