"""Commands that carry erasures over to a restored backup."""

from pathlib import Path
from typing import Annotated

import typer

erasures_app = typer.Typer(
    help="Write the erasures to a file, and repeat them after a backup is restored.",
    no_args_is_help=True,
)


@erasures_app.command("export")
def export_erasures(
    file: Annotated[Path, typer.Argument(dir_okay=False, writable=True)],
) -> None:
    """Write all erasures to a file: keyed hashes, no ids. Keep it beside the backups."""
    from app.cli.console import console
    from app.cli.runtime import open_transaction
    from app.lifecycle import erasure_transfer

    with open_transaction() as (session, _):
        lines = list(erasure_transfer.export_erasures(session))
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(b"".join(lines))
    unfinished.replace(file)
    console.print(f"{len(lines)} erasures written to {file}.")


@erasures_app.command("reapply")
def reapply_erasures(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
) -> None:
    """Repeat the erasures of a file in a restored database, before serve and worker start."""
    from dataclasses import asdict

    from app.cli.console import print_table
    from app.cli.runtime import open_database
    from app.lifecycle import erasure_transfer

    with file.open("rb") as lines:
        erasures = erasure_transfer.read_erasures(lines)
    with open_database() as (sessions, clock, _):
        counts = erasure_transfer.reapply_erasures(sessions, erasures, now=clock())
    print_table(("outcome", "erasures"), [(k, str(v)) for k, v in asdict(counts).items()])
    if counts.other_key:
        raise typer.Exit(1)
