"""Why a single event cannot be used: a closed list of codes."""

from dataclasses import dataclass

QUARANTINE_CODES = {
    "invalid_json": "The line is not valid JSON.",
    "not_an_object": "The event is not a JSON object.",
    "unknown_type": "The type must be one of track, page, screen, identify, group, alias.",
    "invalid_cloud_event": (
        "A CloudEvent needs the attributes id, source, specversion and type as non-empty texts;"
        " specversion is 1.0."
    ),
    "missing_event_name": "A track call needs a non-empty event name.",
    "event_name_too_long": "The event name is longer than 200 characters or 600 bytes.",
    "missing_identity": "The event needs a user id, an anonymous id or an account id.",
    "missing_account_id": "A group call needs an account id.",
    "missing_previous_id": "An alias call needs a previous id and a user id.",
    "invalid_account_id": "The account id is a placeholder such as null or undefined.",
    "id_too_long": "An id is longer than 255 characters or 765 bytes.",
    "shortened_id": (
        "An id such as 1.23E+10 was shortened by a spreadsheet, so digits are lost: send all its"
        " digits."
    ),
    "invalid_timestamp": (
        "The timestamp must be RFC 3339, such as 2026-03-01T09:00:00Z, or epoch seconds or"
        " milliseconds. Dates such as 01/02/2026 are ambiguous."
    ),
    "future_timestamp": "The timestamp is more than 24 hours in the future.",
    "too_old": "The event is older than the retention period.",
    "event_too_large": "The event is larger than 256 KiB.",
    "too_deep": "The event is nested more than 32 levels deep.",
}


class QuarantineError(Exception):
    """One event cannot be used. The other events of its batch are not affected.

    ``pointer``: JSON pointer to the field. ``line``: line number in a body of JSON lines.
    """

    def __init__(self, code: str, pointer: str, *, line: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.pointer = pointer
        self.line = line

    @property
    def detail(self) -> str:
        suffix = "" if self.line is None else f" This is line {self.line}."
        return QUARANTINE_CODES[self.code] + suffix


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that is not JSON. It takes the place of its event in the batch."""

    line: int
    text: str
