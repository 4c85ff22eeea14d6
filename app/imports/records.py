"""Records of a file, CSV or NDJSON, a page at a time, each with its line or why it is none."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from app.events.reading import decoding
from app.events.reading.errors import InvalidBodyError
from app.imports.errors import InvalidFileError, RowError
from app.imports.files import FileSource
from app.imports.lines import Lines

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DELIMITERS = ",;\t"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""What UTF-16 starts with."""


class FileFormat(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"


@dataclass(slots=True)
class RecordPage:
    """Records with their lines. ``offset`` and ``line``: where the next page starts."""

    records: list[Any] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    offset: int = 0
    line: int = 1
    suspect: bool = False
    last: bool = False

    @property
    def rows(self) -> int:
        return len(self.records) + len(self.errors)


class RecordReader(Protocol):
    def page(self, most: int) -> RecordPage: ...


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The columns of a CSV file, and where its rows start."""

    columns: list[str]
    delimiter: str
    offset: int
    line: int


def read_header(source: FileSource) -> CsvHeader:
    """Read the first row, or say why it cannot be one."""
    lines = Lines(_text_blocks(source))
    texts = lines.texts()
    first = next(texts, "")
    delimiter = max(DELIMITERS, key=first.count)
    try:
        columns = next(csv.reader(_again(first, texts), delimiter=delimiter), [])
    except csv.Error:
        raise InvalidFileError("The first line is no row of CSV.") from None
    if lines.bad:
        raise InvalidFileError("The first line is no text in UTF-8, or it is too long.")
    if not any(column.strip() for column in columns):
        raise InvalidFileError("The file is empty, or its first line names no columns.")
    return CsvHeader([column.strip() for column in columns], delimiter, lines.offset, lines.number)


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first.removeprefix("\ufeff")
    yield from rest


def _text_blocks(source: FileSource) -> Iterator[bytes]:
    blocks = source.blocks(0)
    first = next(blocks, b"")
    if first.startswith(UTF_16_MARKS) or b"\0" in first.partition(b"\n")[0]:
        raise InvalidFileError("The file is no text in UTF-8.")
    yield first
    yield from blocks


def check_ndjson(source: FileSource) -> None:
    """See that the first line that is not blank is a JSON object."""
    for line in Lines(_text_blocks(source)):
        if line.strip().removeprefix(BYTE_ORDER_MARK):
            try:
                value = decoding.parse_json(line.strip()).value
            except InvalidBodyError:
                value = None
            if not isinstance(value, dict):
                raise InvalidFileError("The first line is no JSON object.")
            return
    raise InvalidFileError("The file is empty.")


class CsvReader:
    """Reads rows of cells from a place on that is the start of a row."""

    def __init__(
        self,
        source: FileSource,
        start: CsvHeader,
        read: Callable[[list[str]], Any],
        *,
        offset: int | None,
        line: int | None,
    ) -> None:
        first, number = (start.offset, start.line) if offset is None else (offset, line or 1)
        self._lines = Lines(source.blocks(first), offset=first, number=number)
        self._rows = csv.reader(self._lines.texts(), delimiter=start.delimiter)
        self._width, self._read = len(start.columns), read

    def page(self, most: int) -> RecordPage:
        page, lines, bad = RecordPage(), self._lines, self._lines.bad
        while page.rows < most and not page.last:
            line = lines.number
            try:
                cells = next(self._rows)
            except StopIteration:
                page.last = True
            except csv.Error:
                page.errors.append(RowError.of(line, "invalid_csv"))
            else:
                if bad:
                    page.errors.append(RowError.of(line, bad[min(bad)]))
                elif cells:
                    self._add(page, cells, line)
            bad.clear()
        page.offset, page.line, page.suspect = lines.offset, lines.number, lines.has_nul
        return page

    def _add(self, page: RecordPage, cells: list[str], line: int) -> None:
        if len(cells) != self._width:
            if any(cells[self._width :]):
                page.errors.append(RowError.of(line, "too_many_cells"))
                return
            cells += [""] * (self._width - len(cells))
        page.records.append(self._read(cells))
        page.lines.append(line)


class NdjsonReader:
    """Reads one JSON value from each line that is not blank."""

    def __init__(self, source: FileSource, *, offset: int | None, line: int | None) -> None:
        self._lines = Lines(source.blocks(offset or 0), offset=offset or 0, number=line or 1)
        self._iterator = iter(self._lines)

    def page(self, most: int) -> RecordPage:
        page, lines = RecordPage(), self._lines
        while page.rows < most:
            raw = next(self._iterator, None)
            if raw is None:
                page.last = True
                break
            self._add(page, raw.strip().removeprefix(BYTE_ORDER_MARK), lines.number - 1)
        page.offset, page.line = lines.offset, lines.number
        return page

    def _add(self, page: RecordPage, raw: bytes, line: int) -> None:
        if code := self._lines.bad.pop(line, None):
            page.errors.append(RowError.of(line, code))
        elif raw:
            try:
                parsed = decoding.parse_json(raw)
            except InvalidBodyError:
                page.errors.append(RowError.of(line, "invalid_json"))
                return
            page.records.append(parsed.value)
            page.lines.append(line)
            page.suspect = page.suspect or parsed.suspect
