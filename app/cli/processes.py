"""Commands that run the processes of the service."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from app import bench as benchmarks
from app import serving
from app.cli.opened import bars, configured, console, opened, step_bars
from app.core import migrations
from app.core.clock import shifted_clock
from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.settings import Settings
from app.demo import load as demo_load
from app.demo.simulate import truth_csv
from app.worker import Worker, stop_on_signals
from app.workspaces import queries


def serve() -> None:
    """Serve the API; with the embedded database also the worker."""
    settings = configured()
    with serving.database(settings) as url:
        console.print(f"Serving on http://{settings.host}:{settings.port}", highlight=False)
        serving.serve(settings, url)


def worker() -> None:
    """Refresh scores and keep house until told to stop."""
    with opened() as (sessions, clock, settings):
        process = Worker(sessions, serving.with_key(settings), clock)
        stop_on_signals(process.stopping.set)
        gc.freeze()  # what is loaded stays: collecting need not look at it again and again
        process.run()


def migrate() -> None:
    """Bring the database's schema to the newest version."""
    settings = configured()
    with serving.database(settings) as url, serving.engine_to(url) as engine:
        migrations.upgrade(engine)
    console.print("The schema is up to date.")


def demo(
    seed: int = 7,
    name: str = "Demo",
    truth: Annotated[Path | None, typer.Option(help="Write the planted causes here.")] = None,
    *,
    serve_after: Annotated[bool, typer.Option("--serve/--no-serve")] = True,
) -> None:
    """Simulate a messaging company, load it as any customer would, score it, and serve."""
    settings = configured()
    if serve_after:
        serving.expect_free_port(settings)
    clock = shifted_clock(settings.clock_offset_seconds)
    with serving.database(settings) as url:
        with serving.engine_to(url) as engine, bars() as progress:
            sessions = create_session_factory(engine)
            made = demo_load.load(
                sessions,
                name=free_name(sessions, name),
                seed=seed,
                now=clock(),
                progress=step_bars(progress),
            )
        (truth or settings.data_dir / "demo-truth.csv").write_text(truth_csv(made.world))
        introduce(made, settings)
        if serve_after:
            serving.serve(settings, url)


def bench(
    only: Annotated[list[str] | None, typer.Option(help="Names of single benchmarks.")] = None,
) -> None:
    """Measure this machine: every figure is a ratio of two things measured in the same run."""
    benchmarks.run(only or [], console)


def bench_models(
    data: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The data sets.")],
) -> None:
    """Measure the models of churn, each figure beside a reference on the same split."""
    benchmarks.run_models(data, console)


def introduce(made: demo_load.Demo, settings: Settings) -> None:
    """Print where the demo is and what to try."""
    base = f"http://{settings.host}:{settings.port}"
    account = made.world.accounts[0].account_id
    health = f"{base}/api/v1/accounts"
    console.print(
        f"\n{made.events:,} simulated events of {len(made.world.accounts)} accounts."
        f"\n\naddress    {base}   (API documentation: {base}/docs)"
        f"\nworkspace  {made.workspace_id}"
        f"\nwrite key  {made.write_key.text}"
        f"\nread key   {made.read_key.text}"
        "\n\nTry:\n"
        f"\ncurl -s -H 'Authorization: Bearer {made.read_key.text}' {health}/{account}/health"
        f"\ncurl -s -H 'Authorization: Bearer {made.read_key.text}'"
        f" '{health}?band=at_risk&sort=-mrr&limit=5'"
        f"\ncurl -s -u {made.write_key.text}: {base}/v1/track -d"
        f""" '{{"userId":"u1","event":"Message Sent","context":{{"groupId":"{account}"}}}}'\n""",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def free_name(sessions: SessionFactory, name: str) -> str:
    """Return the name, with a number behind it if there is such a workspace already."""
    with transaction(sessions) as session:
        taken = {workspace.id for workspace in queries.list_workspaces(session)}
    number = 1
    while (candidate := f"{name} {number}" if number > 1 else name).lower().replace(
        " ", "-"
    ) in taken:
        number += 1
    return candidate
