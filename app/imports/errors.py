"""What can be wrong with a whole file, and with one row of it."""

from dataclasses import dataclass

from app.core.errors import BadRequestError, PayloadTooLargeError, UnprocessableError

ROW_CODES = {
    "invalid_csv": "The row's quotes do not fit, or a cell is longer than 128 KiB.",
    "too_many_cells": "The row has more cells than the file has columns.",
    "line_too_long": "The line is longer than 1 MiB.",
    "invalid_encoding": "The line is not UTF-8.",
    "invalid_json": "The line is not JSON.",
    "missing_timestamp": "A row of history needs a timestamp.",
    "invalid_row": "A field is missing or cannot be read; the message says which.",
    "unstorable": "The database cannot hold a value of the row.",
    "erased": "The account or the person was erased.",
}
"""Beside the codes of the quarantine, for events."""


@dataclass
class RowError(Exception):
    """A row that cannot be used. The message says why, and holds nothing of the row."""

    line: int
    code: str
    message: str

    @classmethod
    def of(cls, line: int, code: str) -> "RowError":
        return cls(line, code, ROW_CODES[code])


class InvalidFileError(UnprocessableError):
    """No row of the file could be read so."""

    code = "invalid_file"


class TruncatedFileError(BadRequestError):
    code = "truncated_file"


class FileTooLargeError(PayloadTooLargeError):
    pass
