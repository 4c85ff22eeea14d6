"""The command line: ``python -m app``, also installed as ``customer-health``.

A command imports what it needs in its body, so that ``--help`` and short commands do not load the
whole service. ``runtime`` holds what commands share: settings, database, clock, progress bars.
The benchmarks have a command line of their own: ``python -m bench``.
Tests: ``tests/cli``; ``tests/test_readme.py`` runs the commands of the README.
"""

import signal
import sys
from typing import Annotated, Any

import typer

from app.cli.admin import key_app, workspace_app
from app.cli.data import import_app, refresh, train
from app.cli.doctoring import doctor
from app.cli.erasures import erasures_app
from app.cli.examples import add_examples
from app.cli.members import member_app
from app.cli.processes import demo, migrate, serve, worker

app = typer.Typer(
    help="Customer Health: how much value each account gets for each dollar it pays.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (serve, worker, migrate, refresh, train, demo, doctor):
    app.command()(command)


def print_version(value: bool) -> None:  # noqa: FBT001 - typer calls it like this
    """Print the version of the service and end."""
    if value:
        from app.core.settings import VERSION

        typer.echo(VERSION)
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=print_version, help="Print the version."),
    ] = False,
) -> None:
    """Take the options of the command line itself."""


app.add_typer(workspace_app, name="workspace")
app.add_typer(key_app, name="key")
app.add_typer(member_app, name="member")
app.add_typer(import_app, name="import")
app.add_typer(erasures_app, name="erasures")
add_examples(app)


def main() -> None:
    """Run a command. An expected error is one line on stderr and exit code 1.

    SIGTERM unwinds the command, which closes what it opened, the private database too.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        app()
    except Exception as error:
        sentence = explain(error)
        if sentence is None:
            raise
        from rich.console import Console
        from rich.markup import escape

        line = f"[red]error:[/] {escape(sentence)}"
        Console(stderr=True).print(line, highlight=False, soft_wrap=True)
        sys.exit(1)


NO_SUCH_TABLE_OR_COLUMN = {"42P01", "42703"}


def _setting_sentence(error: Any) -> str:  # noqa: ANN401 - pydantic's details of an error
    """Say which setting is invalid and why; the value is not repeated: it may be secret."""
    name = "_".join(map(str, error["loc"])).upper()
    sentence = error["msg"].removeprefix("Value error, ")
    return f"HEALTH_{name}: {sentence}{'' if sentence.endswith('.') else '.'}"


def explain(error: Exception) -> str | None:
    """Return one sentence for an error that the user can act on, None for a bug."""
    from pydantic import ValidationError
    from sqlalchemy.exc import DBAPIError

    from app.core.errors import ProblemError, reason
    from app.imports.mapping import MappingError

    match error:
        case ProblemError() | MappingError():
            return str(error)
        case ValidationError():
            return " ".join(map(_setting_sentence, error.errors()))
        case DBAPIError() if getattr(error.orig, "sqlstate", None) in NO_SUCH_TABLE_OR_COLUMN:
            return "The database has no schema, or an older one: run `python -m app migrate`."
        case DBAPIError():
            return f"Database: {reason(error)}"
        case OSError(filename=str(), strerror=str()):
            return f"{error.filename}: {error.strerror}."
    return None
