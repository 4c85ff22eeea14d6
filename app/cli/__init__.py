"""The command line: ``python -m app``, also installed as ``customer-health``."""

import signal
import sys

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from app.cli.admin import key_app, workspace_app
from app.cli.data import import_app, refresh
from app.cli.models import train
from app.cli.processes import bench, bench_models, demo, migrate, serve, worker
from app.core.errors import ProblemError
from app.imports.mapping import MappingError

app = typer.Typer(
    help="Customer Health: how much value each account gets for each dollar it pays.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (serve, worker, migrate, refresh, train, demo, bench, bench_models):
    app.command()(command)
app.add_typer(workspace_app, name="workspace")
app.add_typer(key_app, name="key")
app.add_typer(import_app, name="import")


def main() -> None:
    """Run a command; a known trouble is one clear line and exit code 1.

    A SIGTERM unwinds the command, so that what it opened is closed: the private database too.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        app()
    except (ProblemError, MappingError) as error:
        fail(str(error))
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(map(str, first["loc"])).upper()
        fail(f"HEALTH_{name}: {first['msg']}")
    except DBAPIError as error:
        fail(f"Database: {str(error.orig).strip().splitlines()[0]}")


def fail(sentence: str) -> None:
    Console(stderr=True).print(f"[red]error:[/] {sentence}", highlight=False, soft_wrap=True)
    sys.exit(1)
