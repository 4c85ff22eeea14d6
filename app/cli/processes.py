"""Commands that run the processes of the service."""

from pathlib import Path
from typing import Annotated

import typer


def serve() -> None:
    """Serve the API; with the private database, run a worker too."""
    from app import serving
    from app.cli.first_steps import suggest_workspace
    from app.cli.runtime import load_settings
    from app.core.postgres.engines import REQUEST_TIMEOUT_SECONDS
    from app.core.postgres.session_settings import expect_session_settings

    settings = load_settings()
    serving.expect_free_ports(settings)
    with serving.database(settings) as url:
        serving.with_key(settings)
        with serving.engine_to(
            settings, url, pool_size=1, statement_timeout_seconds=REQUEST_TIMEOUT_SECONDS
        ) as engine:
            expect_session_settings(engine)
            typer.echo(f"Serving on {serving.web_address(settings)}")
            suggest_workspace(engine)
        serving.serve(settings, url)


def worker() -> None:
    """Run a worker: score accounts, deliver webhooks, run jobs and housekeeping."""
    import gc

    from app import serving
    from app.cli.runtime import open_database
    from app.worker import Worker, stop_on_signals

    with open_database() as (sessions, clock, settings):
        process = Worker(sessions, serving.with_key(settings), clock)
        stop_on_signals(process.stopping.set)
        gc.freeze()  # loaded modules stay: the collector need not look at them again
        with serving.metrics_server(settings, sessions):
            process.run()


def migrate() -> None:
    """Migrate the database to the newest schema."""
    from app import serving
    from app.cli.runtime import load_settings
    from app.core.postgres import migrations

    settings = load_settings()
    with serving.database(settings) as url, serving.engine_to(settings, url) as engine:
        migrations.upgrade(engine)
    typer.echo("The schema is up to date.")


def demo(
    seed: int = 7,
    name: str = "Demo",
    truth: Annotated[
        Path | None, typer.Option(help="Write the planted causes to this file.")
    ] = None,
    *,
    serve_after: Annotated[bool, typer.Option("--serve/--no-serve")] = True,
) -> None:
    """Simulate a messaging company, load and score it, and serve the API."""
    from app.cli.demonstration import run_demo

    run_demo(seed, name, truth, serve_after=serve_after)
