"""Commands for churn models."""

from typing import Annotated

import typer

from app.cli.admin import WorkspaceOption


def train(
    workspace: WorkspaceOption,
    job: Annotated[str | None, typer.Option(hidden=True)] = None,
    token: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Train a churn model; it becomes active only if it is proven on later, unseen data."""
    from app.cli import training

    training.train(workspace, job, token)
