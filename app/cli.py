"""The command line: ``python -m app``, also installed as ``customer-health``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from app import pipeline, serving
from app.bench import run as bench_run
from app.core import db, logs, migrations
from app.core.clock import Clock, shifted_clock
from app.core.db import Sessions, open_sessions, transaction
from app.core.errors import NotFoundError, ProblemError
from app.core.settings import Settings
from app.demo import load as demo_load
from app.demo.simulate import truth_csv
from app.imports import files
from app.imports import service as imports
from app.imports.mapping import ColumnMapping, MappingError
from app.worker import Worker, stop_on_signals
from app.workspaces import queries as workspace_queries
from app.workspaces import service as workspaces
from app.workspaces.keys import Scope
from app.workspaces.tables import ApiKey, Workspace

ACTOR = "cli"

app = typer.Typer(
    help="Customer Health: how much value each account gets for each dollar it pays.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
workspace_app = typer.Typer(help="Workspaces.", no_args_is_help=True)
key_app = typer.Typer(help="API keys.", no_args_is_help=True)
import_app = typer.Typer(help="Import CSV files, plain or gzipped.", no_args_is_help=True)
app.add_typer(workspace_app, name="workspace")
app.add_typer(key_app, name="key")
app.add_typer(import_app, name="import")

console = Console()
WorkspaceOption = Annotated[str, typer.Option("--workspace", "-w", help="Id of the workspace.")]
MapOption = Annotated[
    list[str],
    typer.Option(
        "--map", "-m", help="field=column, field={template}, or field=column[other=value]."
    ),
]
LookupOption = Annotated[
    list[str], typer.Option("--lookup", help="column=file: translate a column by a table of two.")
]
FileArgument = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]


def main() -> None:
    """Run a command; a known trouble is one clear line and exit code 1."""
    try:
        app()
    except (ProblemError, MappingError) as error:
        fail(str(error))
    except ValidationError as error:
        first = error.errors()[0]
        fail(f"Setting HEALTH_{'_'.join(map(str, first['loc'])).upper()}: {first['msg']}")
    except DBAPIError as error:
        fail(f"Database: {str(error.orig).strip().splitlines()[0]}")


def fail(sentence: str) -> None:
    Console(stderr=True).print(f"[red]error:[/] {sentence}", highlight=False)
    sys.exit(1)


@contextmanager
def opened() -> Iterator[tuple[Sessions, Clock, Settings]]:
    """Open what a command works with: the database and the clock."""
    settings = Settings()
    logs.configure(settings.log_level)
    with serving.database(settings) as url, serving.engine_to(url) as engine:
        yield open_sessions(engine), shifted_clock(settings.clock_offset_seconds), settings


@app.command()
def serve() -> None:
    """Serve the API; with the embedded database also the worker."""
    settings = Settings()
    logs.configure(settings.log_level)
    with serving.database(settings) as url:
        console.print(f"Serving on http://{settings.host}:{settings.port}", highlight=False)
        serving.serve(settings, url)


@app.command()
def worker() -> None:
    """Refresh scores and keep house until told to stop."""
    with opened() as (sessions, clock, settings):
        process = Worker(sessions, settings, clock)
        stop_on_signals(process.stopping.set)
        process.run()


@app.command()
def migrate() -> None:
    """Bring the database's schema to the newest version."""
    settings = Settings()
    logs.configure(settings.log_level)
    with serving.database(settings) as url, serving.engine_to(url) as engine:
        migrations.upgrade(engine)
    console.print("The schema is up to date.")


@workspace_app.command("create")
def create_workspace(name: str) -> None:
    """Create a workspace, and print a write key and a read key, once."""
    with opened() as (sessions, clock, _), transaction(sessions) as session:
        made = workspaces.create_workspace(session, name, actor=ACTOR, now=clock())
        keys = {
            purpose: workspaces.create_key(
                session, made.id, name=purpose, scopes=scopes, actor=ACTOR, now=clock()
            )
            for purpose, scopes in (
                ("write", workspaces.WRITE_SCOPES),
                ("read", workspaces.READ_SCOPES),
            )
        }
    console.print(f"workspace: {made.id}", highlight=False)
    for purpose, key in keys.items():
        console.print(f"{purpose} key: {key.text}", highlight=False, soft_wrap=True)


@key_app.command("create")
def create_key(
    workspace: WorkspaceOption,
    scope: Annotated[list[Scope], typer.Option(help="What the key may do; repeat it.")],
    name: str = "key",
    expires_in_days: Annotated[int | None, typer.Option(min=1)] = None,
) -> None:
    """Create a key, and print it, once."""
    with opened() as (sessions, clock, _), transaction(sessions) as session:
        found = find_workspace(session, workspace)
        ends = clock() + timedelta(days=expires_in_days) if expires_in_days else None
        key = workspaces.create_key(
            session, found.id, name=name, scopes=scope, actor=ACTOR, now=clock(), expires_at=ends
        )
    console.print(key.text, highlight=False, soft_wrap=True)


@key_app.command("list")
def list_keys(workspace: WorkspaceOption) -> None:
    """List a workspace's keys."""
    table = Table("id", "name", "scopes", "created", "expires", "revoked", "last used")
    with opened() as (sessions, _, _), transaction(sessions) as session:
        for key in workspace_queries.list_keys(session, find_workspace(session, workspace).id):
            instants = (key.created_at, key.expires_at, key.revoked_at, key.last_used_at)
            table.add_row(key.id, key.name, " ".join(key.scopes), *map(day_of, instants))
    console.print(table)


@key_app.command("revoke")
def revoke_key(key_id: str) -> None:
    """End a key at once."""
    with opened() as (sessions, clock, _), transaction(sessions) as session:
        workspaces.revoke_key(session, find_key(session, key_id), actor=ACTOR, now=clock())
    console.print(f"Key {key_id} is revoked.", highlight=False)


@key_app.command("rotate")
def rotate_key(
    key_id: str, overlap_hours: Annotated[float, typer.Option(min=0, max=720)] = 24
) -> None:
    """Print a successor, once; the old key works on for the overlap."""
    with opened() as (sessions, clock, _), transaction(sessions) as session:
        key = workspaces.rotate_key(
            session,
            find_key(session, key_id),
            actor=ACTOR,
            now=clock(),
            overlap=timedelta(hours=overlap_hours),
        )
    console.print(key.text, highlight=False, soft_wrap=True)


@import_app.command("events")
def import_events(
    file: FileArgument,
    workspace: WorkspaceOption,
    mapping: MapOption,
    lookup: LookupOption = [],  # noqa: B006 - Typer reads the default
    split: Annotated[str | None, typer.Option(help="The event name is several, joined so.")] = None,
) -> None:
    """Import events as history; the same file again changes nothing."""
    with opened() as (sessions, clock, _), bar() as progress:
        target = to_target(sessions, workspace, clock())
        rules = ColumnMapping.parse(mapping, lookups(lookup))
        tally = imports.import_events(target, file, rules, file_bar(progress), split=split)
    report(tally)


@import_app.command("subscriptions")
def import_subscriptions(
    file: FileArgument,
    workspace: WorkspaceOption,
    mapping: MapOption,
    lookup: LookupOption = [],  # noqa: B006 - Typer reads the default
) -> None:
    """Import paid periods."""
    with opened() as (sessions, clock, _), bar() as progress:
        target = to_target(sessions, workspace, clock())
        rules = ColumnMapping.parse(mapping, lookups(lookup))
        tally = imports.import_subscriptions(target, file, rules, file_bar(progress))
    report(tally)


@import_app.command("accounts")
def import_accounts(file: FileArgument, workspace: WorkspaceOption, mapping: MapOption) -> None:
    """Import accounts."""
    with opened() as (sessions, clock, _), bar() as progress:
        target = to_target(sessions, workspace, clock())
        rules = ColumnMapping.parse(mapping)
        tally = imports.import_accounts(target, file, rules, file_bar(progress))
    report(tally)


@app.command()
def refresh(
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="With --as-of: whose accounts.")
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Write history for a past day.")
    ] = None,
) -> None:
    """Score what is due, or everything as of a past day."""
    with opened() as (sessions, clock, _), bar() as progress:
        task = progress.add_task("scoring accounts", total=None, note="")
        done = 0
        if as_of is not None:
            with transaction(sessions) as session:
                found = find_workspace(session, workspace or "")
            done = demo_load.score_everyone(sessions, found.id, as_of=as_of.date(), now=clock())
        else:
            while count := pipeline.refresh_due(sessions, now=clock(), limit=2000):
                done += count
                progress.update(task, completed=done)
    console.print(f"{done} accounts scored.", highlight=False)


@app.command()
def demo(
    seed: int = 7,
    name: str = "Demo",
    truth: Annotated[Path | None, typer.Option(help="Write the planted causes here.")] = None,
    serve_after: Annotated[bool, typer.Option("--serve/--no-serve")] = True,
) -> None:
    """Simulate a messaging company, load it as any customer would, score it, and serve."""
    settings = Settings()
    logs.configure(settings.log_level)
    clock = shifted_clock(settings.clock_offset_seconds)
    with serving.database(settings) as url:
        with serving.engine_to(url) as engine, bar() as progress:
            sessions = open_sessions(engine)
            made = demo_load.load(
                sessions,
                name=free_name(sessions, name),
                seed=seed,
                now=clock(),
                progress=step_bar(progress),
            )
        (truth or settings.data_dir / "demo-truth.csv").write_text(truth_csv(made.world))
        introduce(made, settings)
        if serve_after:
            serving.serve(settings, url)


@app.command()
def bench(
    only: Annotated[list[str], typer.Option(help="Names of single benchmarks.")] = [],
) -> None:  # noqa: B006
    """Measure this machine: every figure is a ratio of two things measured in the same run."""
    bench_run(only, console)


def introduce(made: demo_load.Demo, settings: Settings) -> None:
    """Print where the demo is and what to try."""
    base = f"http://{settings.host}:{settings.port}"
    account = made.world.accounts[0].account_id
    health = f"{base}/api/v1/accounts"
    console.print(
        f"\n{made.tally.stored:,} simulated events of {len(made.world.accounts)} accounts."
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


def free_name(sessions: Sessions, name: str) -> str:
    """Return the name, with a number behind it if there is such a workspace already."""
    with transaction(sessions) as session:
        taken = {workspace.id for workspace in workspace_queries.list_workspaces(session)}
    number = 1
    while (candidate := f"{name} {number}" if number > 1 else name).lower().replace(
        " ", "-"
    ) in taken:
        number += 1
    return candidate


def find_workspace(session: db.Session, workspace_id: str) -> Workspace:
    found = workspace_queries.find_workspace(session, workspace_id)
    if found is None:
        raise NotFoundError("workspace", workspace_id)
    return found


def find_key(session: db.Session, key_id: str) -> ApiKey:
    found = workspace_queries.find_key_anywhere(session, key_id)
    if found is None:
        raise NotFoundError("API key", key_id)
    return found


def to_target(sessions: Sessions, workspace_id: str, now: datetime) -> imports.Target:
    with transaction(sessions) as session:
        return imports.Target(sessions, find_workspace(session, workspace_id), now)


def lookups(pairs: list[str]) -> dict[str, dict[str, str]]:
    found = {}
    for pair in pairs:
        column, _, path = pair.partition("=")
        if not Path(path).is_file():
            raise MappingError(f"There is no file {path!r}.")
        found[column] = files.lookup(Path(path))
    return found


def day_of(instant: datetime | None) -> str:
    return instant.isoformat(timespec="minutes") if instant else ""


def bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )


def file_bar(progress: Progress) -> imports.Progress:
    task = progress.add_task("reading", total=None, note="")

    def advance(read: int, size: int, tally: imports.Tally) -> None:
        progress.update(task, completed=read, total=size, note=f"{tally.rows:,} rows")

    return advance


def step_bar(progress: Progress) -> demo_load.Progress:
    tasks: dict[str, object] = {}

    def advance(what: str, done: int, whole: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=whole, note="")
        progress.update(tasks[what], completed=done)  # type: ignore[arg-type]

    return advance


def report(tally: imports.Tally) -> None:
    console.print(
        f"{tally.rows:,} rows: {tally.stored:,} stored, {tally.duplicates:,} duplicates, "
        f"{tally.rejected:,} rejected.",
        highlight=False,
    )
    if tally.first_error:
        fail(tally.first_error)
