"""Errors of a whole file, and of one row of it."""

from dataclasses import dataclass

from app.core.errors import BadRequestError, PayloadTooLargeError, UnprocessableError

ROW_CODES = {
    "invalid_csv": "The quotes of the row do not match, or a cell is longer than 128 KiB.",
    "too_many_cells": "The row has more cells than the file has columns.",
    "repeated_header": "The row repeats the column names: leave out this line of joined files.",
    "line_too_long": "The line, or a row of several lines, is longer than 1 MiB.",
    "invalid_encoding": "The line is not UTF-8.",
    "invalid_json": "The line is not JSON.",
    "missing_timestamp": "The event has no timestamp: each imported event needs one.",
    "invalid_row": "A field is missing or invalid; the message names it.",
    "conflicting_periods": "Several lines give one subscription different terms from the same day"
    " on; the message names them.",
    "unstorable": "The database refuses a value of the row, such as a number out of range.",
    "erased": "The account or user was erased: lift the erasure to import it again.",
}
"""Messages by code. Rows of events can also have the codes of the quarantine."""


@dataclass
class RowError(Exception):
    """A row that cannot be imported. The message says why and contains no value of the row."""

    line: int
    code: str
    message: str

    @classmethod
    def from_code(cls, line: int, code: str) -> "RowError":
        return cls(line, code, ROW_CODES[code])


class InvalidFileError(UnprocessableError):
    """The file as a whole cannot be read in the requested format."""

    code = "invalid_file"


class TruncatedFileError(BadRequestError):
    code = "truncated_file"


class FileTooLargeError(PayloadTooLargeError):
    pass
