"""Parse the ids of accounts, people and messages in events."""

from typing import Any

from app.accounts.traits import NOT_IDS, is_shortened, parse_number_id, trim_id
from app.events.reading.quarantine_codes import QuarantineError

MAX_ID_LENGTH = 255
BYTES_PER_CHARACTER = 3
"""Allowed on average in an id or name: two ids and a name must fit into one index entry."""


def parse_identifier(value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """Return an id as text, None for null, and an empty text for a placeholder (``NOT_IDS``).

    Spaces around an id and byte-order marks do not belong to it. A number without exact digits
    counts as a placeholder.
    Raises ``QuarantineError`` if the id is too long, or if a spreadsheet has shortened it.
    """
    if value is None:
        return None
    text = trim_id(value if isinstance(value, str) else parse_number_id(value) or "")
    if text.lower() in NOT_IDS:
        return ""
    if is_shortened(text):
        raise QuarantineError("shortened_id", "")
    if is_longer(text, MAX_ID_LENGTH):
        raise QuarantineError("id_too_long", "")
    return text


def is_longer(text: str, characters: int) -> bool:
    return len(text) > characters or (
        not text.isascii() and len(text.encode()) > characters * BYTES_PER_CHARACTER
    )
