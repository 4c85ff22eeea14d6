"""What commands say to do next, as plain text: without ``console``, which loads a library."""

import os
import sys
from pathlib import Path

import typer


def print_hint(sentence: str) -> None:
    """Print what to do next to stderr, so that pipes get the output only."""
    typer.echo(sentence, err=True)


def program() -> str:
    """Return how this command line was called, to be pasted into a terminal in this folder."""
    if Path(sys.argv[0]).name == "customer-health":
        return "customer-health"
    return f"{os.path.relpath(sys.executable)} -m app"
