"""Why a single event cannot be used: a closed list of codes."""

from dataclasses import dataclass

QUARANTINE_CODES = {
    "invalid_json": "The line is not JSON.",
    "not_an_object": "The event is not a JSON object.",
    "unknown_type": "The type is none of track, page, screen, identify, group, alias.",
    "missing_event_name": "A track call needs a non-empty event name.",
    "event_name_too_long": "An event name has more than 200 characters or 600 bytes.",
    "missing_identity": "Neither a user, nor an anonymous id, nor an account is named.",
    "missing_account_id": "A group call needs an account.",
    "missing_previous_id": "An alias call needs a previous id and a user.",
    "invalid_account_id": "The account's id is a placeholder such as null or undefined.",
    "id_too_long": "An id has more than 255 characters or 765 bytes.",
    "invalid_timestamp": "The timestamp cannot be read.",
    "future_timestamp": "The event lies more than a day in the future.",
    "too_old": "The event is older than what is kept.",
    "event_too_large": "The event is larger than 256 KiB.",
    "too_deep": "The event is nested more than 32 levels deep.",
}


class QuarantineError(Exception):
    """One event cannot be used; the others of its batch are not touched by it."""

    def __init__(self, code: str, pointer: str, *, line: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.pointer = pointer
        self.line = line

    @property
    def detail(self) -> str:
        where = "" if self.line is None else f" It is line {self.line}."
        return QUARANTINE_CODES[self.code] + where


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that is not JSON, in the place of its event."""

    line: int
    text: str
