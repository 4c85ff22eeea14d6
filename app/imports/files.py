"""Read tables from CSV files, plain or gzipped, a row at a time."""

import csv
import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from app.imports.mapping import MappingError


def digest(path: Path) -> str:
    """Hash a file's bytes: with the line number it makes an id for each row."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Position:
    """Bytes of a file, and how many of them have been read."""

    size: int
    read: Callable[[], int]


@contextmanager
def open_text(path: Path) -> Iterator[tuple[TextIO, Position]]:
    """Open a file for reading, and tell how much of it has been read."""
    with path.open("rb") as raw:
        gzipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        binary = gzip.GzipFile(fileobj=raw) if gzipped else raw
        with TextIOWrapper(binary, encoding="utf-8", errors="replace", newline="") as text:
            yield text, Position(path.stat().st_size, raw.tell)


def rows(text: TextIO) -> tuple[list[str], Iterator[dict[str, str]]]:
    """Return the columns of a CSV file and its rows."""
    reader = csv.reader(text)
    columns = next(reader, None)
    if not columns:
        raise MappingError("The file is empty.")
    width = len(columns)
    return columns, (
        dict(zip(columns, row + [""] * (width - len(row)), strict=False)) for row in reader if row
    )


def lookup(path: Path) -> dict[str, str]:
    """Read a table of two columns: a value, and what stands for it."""
    with open_text(path) as (text, _):
        columns, found = rows(text)
        return {row[columns[0]]: row[columns[1]] for row in found}
