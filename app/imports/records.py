"""Read the records of a CSV or NDJSON file, one page at a time, with line numbers and errors."""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Any, Protocol

from app.accounts.traits import BYTE_ORDER_MARK
from app.events.reading import decoding
from app.events.reading.errors import InvalidBodyError
from app.imports.errors import InvalidFileError, RowError
from app.imports.files import FileSource

MAX_LINE_BYTES = 1024 * 1024
"""Of a line, of a row of several lines, and of all that comes before the first row."""
MAX_COLUMNS = 16_384
PAGE_BYTES = 4 * 1024 * 1024
"""After so many bytes a page ends, with as few rows as it has: blank lines take time too."""
MARK_BYTES = BYTE_ORDER_MARK.encode()
DELIMITERS = ",;\t"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""The first bytes of a file in UTF-16."""


class Lines:
    """Iterates over lines without line breaks, and knows where the next line starts.

    ``offset`` and ``number``: of the next line; the first line is 1. ``bad``: row error codes by
    line number. ``has_nul``: whether a NUL occurred so far.
    """

    def __init__(self, blocks: Iterable[bytes], *, offset: int = 0, number: int = 1) -> None:
        self.offset, self.number = offset, number
        self.bad: dict[int, str] = {}
        self.has_nul = False
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        rest, cut = b"", 0
        for block in self._blocks:
            self.has_nul = self.has_nul or b"\0" in block
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                self.offset += cut + len(line) + 1
                yield self._next(line, cut)
                cut = 0
            if len(rest) > MAX_LINE_BYTES:
                cut, rest = cut + len(rest), b""
        if rest or cut:
            self.offset += cut + len(rest)
            yield self._next(rest, cut)

    def _next(self, line: bytes, cut: int) -> bytes:
        self.number += 1
        if not cut:
            return line
        self.bad[self.number - 1] = "line_too_long"
        return b""

    def texts(self) -> Iterator[str]:
        """Yield decoded lines with an end, as a CSV reader expects them.

        Files that were put together have byte-order marks inside, also before quotes.
        """
        for line in self:
            try:
                text = line.decode()
            except UnicodeDecodeError:
                self.bad[self.number - 1] = "invalid_encoding"
                text = line.decode(errors="replace")
            yield text.replace(BYTE_ORDER_MARK, "") + "\n"


class _RowTooLongError(Exception):
    pass


class _RowLines:
    """The lines of one row after the other, for a CSV reader; a row cannot go on for ever."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts, self._length = texts, 0

    def start_row(self) -> None:
        self._length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        text = next(self._texts)
        self._length += len(text)
        if self._length > MAX_LINE_BYTES + 1:  # the line's end
            raise _RowTooLongError
        return text


class FileFormat(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"


@dataclass(slots=True)
class RecordPage:
    """Records with the numbers of their lines.

    ``offset`` and ``line``: where the next page starts. ``suspect``: the records must be sanitized
    before they are stored. ``last``: there is no next page.
    """

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
    def read_page(self, limit: int) -> RecordPage: ...


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The columns of a CSV file, and where its rows start."""

    columns: list[str]
    delimiter: str
    offset: int
    line: int


def read_header(source: FileSource) -> CsvHeader:
    """Read the column names in the first row of a CSV file, or raise InvalidFileError."""
    lines = Lines(_text_blocks(source))
    texts = lines.texts()
    first = next(texts, "")
    delimiter = max(DELIMITERS, key=first.count)
    rows = _RowLines(chain([first], texts))
    try:
        columns = next(csv.reader(rows, delimiter=delimiter), [])
    except (csv.Error, _RowTooLongError):
        raise InvalidFileError("The first line is not valid CSV: check its quotes.") from None
    if lines.bad:
        raise InvalidFileError("The first line is not UTF-8 text, or it is longer than 1 MiB.")
    if not any(column.strip() for column in columns):
        raise InvalidFileError("The file must start with a line of column names.")
    if len(columns) > MAX_COLUMNS:
        raise InvalidFileError(f"The file has more than {MAX_COLUMNS} columns: remove some.")
    return CsvHeader([column.strip() for column in columns], delimiter, lines.offset, lines.number)


def _text_blocks(source: FileSource) -> Iterator[bytes]:
    """Yield the first blocks of a file; the first row must end in them."""
    size = 0
    for block in source.blocks(0):
        if not size and (block.startswith(UTF_16_MARKS) or b"\0" in block.partition(b"\n")[0]):
            raise InvalidFileError("The file is not UTF-8 text: convert it to UTF-8.")
        if size > MAX_LINE_BYTES:
            raise InvalidFileError("The first line is longer than 1 MiB, or only blank lines come.")
        size += len(block)
        yield block


def check_ndjson(source: FileSource) -> None:
    """Raise InvalidFileError unless the first non-blank line is a JSON object."""
    for line in Lines(_text_blocks(source)):
        if line.strip().removeprefix(MARK_BYTES):
            try:
                value = decoding.parse_json(line.strip()).value
            except InvalidBodyError:
                value = None
            if not isinstance(value, dict):
                raise InvalidFileError("Each line must be a JSON object; the first is not.")
            return
    raise InvalidFileError("The file is empty: each line must be a JSON object.")


class CsvReader:
    """Reads rows from an offset that is the start of a row; None: from the first row."""

    def __init__(
        self,
        source: FileSource,
        header: CsvHeader,
        read_cells: Callable[[list[str]], Any],
        *,
        offset: int | None,
        line: int | None,
    ) -> None:
        first, number = (header.offset, header.line) if offset is None else (offset, line or 1)
        self._lines = Lines(source.blocks(first), offset=first, number=number)
        self._row_lines = _RowLines(self._lines.texts())
        self._rows = csv.reader(self._row_lines, delimiter=header.delimiter)
        self._columns, self._width = header.columns, len(header.columns)
        self._read_cells = read_cells

    def read_page(self, limit: int) -> RecordPage:
        page, lines, bad = RecordPage(), self._lines, self._lines.bad
        end = lines.offset + PAGE_BYTES
        while page.rows < limit and lines.offset < end and not page.last:
            line = lines.number
            self._row_lines.start_row()
            try:
                cells = next(self._rows)
            except StopIteration:
                page.last = True
            except _RowTooLongError:
                page.errors.append(RowError.from_code(line, "line_too_long"))
            except csv.Error:
                page.errors.append(RowError.from_code(line, "invalid_csv"))
            else:
                if bad:
                    page.errors.append(RowError.from_code(line, bad[min(bad)]))
                elif cells:
                    self._add(page, cells, line)
            bad.clear()
        page.offset, page.line, page.suspect = lines.offset, lines.number, lines.has_nul
        return page

    def _add(self, page: RecordPage, cells: list[str], line: int) -> None:
        if len(cells) != self._width:
            if any(cells[self._width :]):
                page.errors.append(RowError.from_code(line, "too_many_cells"))
                return
            cells += [""] * (self._width - len(cells))
        if self._is_header(cells):
            page.errors.append(RowError.from_code(line, "repeated_header"))
            return
        page.records.append(self._read_cells(cells))
        page.lines.append(line)

    def _is_header(self, cells: list[str]) -> bool:
        """Whether a row repeats the column names, as where files were joined."""
        return self._columns[0] in cells[0] and self._columns == [
            cell.strip() for cell in cells[: self._width]
        ]


class NdjsonReader:
    """Reads one JSON value from each non-blank line. ``offset``: as in ``CsvReader``."""

    def __init__(self, source: FileSource, *, offset: int | None, line: int | None) -> None:
        self._lines = Lines(source.blocks(offset or 0), offset=offset or 0, number=line or 1)
        self._iterator = iter(self._lines)

    def read_page(self, limit: int) -> RecordPage:
        page, lines = RecordPage(), self._lines
        end = lines.offset + PAGE_BYTES
        while page.rows < limit and lines.offset < end:
            raw = next(self._iterator, None)
            if raw is None:
                page.last = True
                break
            self._add(page, raw.strip().removeprefix(MARK_BYTES), lines.number - 1)
        page.offset, page.line = lines.offset, lines.number
        return page

    def _add(self, page: RecordPage, raw: bytes, line: int) -> None:
        if code := self._lines.bad.pop(line, None):
            page.errors.append(RowError.from_code(line, code))
        elif raw:
            try:
                parsed = decoding.parse_json(raw)
            except InvalidBodyError:
                page.errors.append(RowError.from_code(line, "invalid_json"))
                return
            page.records.append(parsed.value)
            page.lines.append(line)
            page.suspect = page.suspect or parsed.suspect
