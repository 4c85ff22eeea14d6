"""Load batches of historical events: each counts as known on the day it happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.postgres import partitions
from app.events.ingestion import service as ingestion
from app.events.ingestion.event_names import KnownEventNames
from app.events.ingestion.queries import BatchOrigin
from app.events.reading.batch import Batch, ParsedBatch, parse_batch
from app.events.reading.canonical import Dialect
from app.events.reading.quarantine_codes import QUARANTINE_CODES
from app.events.reading.times import ReceiveContext
from app.imports.errors import ROW_CODES
from app.workspaces.tables import Workspace

FIRST_MONTH = date(1990, 1, 1)
MIN_EPOCH_DIGITS = 9
MAX_NAMES_PER_ROW = 100
"""Each name becomes an event with all other fields of the row."""


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """Numbers of stored and repeated events; for rejected ones position, code and message."""

    stored: int
    duplicates: int
    rejected: Sequence[tuple[int, str, str]]


@dataclass
class EventLoader:
    """Parses and stores batches, and creates the partitions of the months they fall in."""

    workspace: Workspace
    dialect: Dialect
    now: datetime
    key_id: str = "import"
    names: KnownEventNames = field(default_factory=KnownEventNames)
    months: set[date] = field(default_factory=set)

    def __post_init__(self) -> None:
        rules, base_currency = ingestion.event_rules(self.workspace), self.workspace.base_currency
        self.policy = ingestion.IngestPolicy(rules, base_currency, oldest=None)

    def parse(self, events: Sequence[Any], *, suspect: bool = False) -> ParsedBatch:
        received = ReceiveContext(self.now, oldest=None)
        return parse_batch(Batch(events, suspect), self.dialect, self.policy.rules, received)

    def store(self, session: Session, batch: ParsedBatch) -> StoredBatch:
        """Write and count the events, in the caller's transaction."""
        origin = BatchOrigin(self.workspace.id, self.key_id, self.now)
        outcome = ingestion.store_batch(session, origin, batch, self.policy, self.names)
        parsed = outcome.parsed
        rejected = [(row.n, row.code, QUARANTINE_CODES[row.code]) for row in parsed.rejected]
        rejected += [(n, "erased", ROW_CODES["erased"]) for n in parsed.erased]
        known = list(outcome.verdicts.values()).count("duplicate")
        return StoredBatch(
            len(parsed.events) - known, known + len(parsed.repeats), sorted(rejected)
        )

    def create_partitions(self, sessions: SessionFactory, batch: ParsedBatch) -> None:
        """Create missing months from 1990 on; older events go to the default partition."""
        months = {event.client_at.date().replace(day=1) for event in batch.events}
        new = sorted(month for month in months - self.months if month >= FIRST_MONTH)
        if new:
            with transaction(sessions) as session:
                for month in new:
                    partitions.create(session, month, month)
            self.months.update(new)


RowFields = dict[str, Any]


def event_builder(digest: str, split: str | None) -> Callable[[RowFields, int], list[RowFields]]:
    """Return a function that turns a row and its line number into native events.

    An event without an id gets one from the file's ``digest`` and its line. ``split``: separates
    the event names of a row that stands for several events. Too many raise ValueError.
    """

    def build(fields: RowFields, line: int) -> list[RowFields]:
        timestamp = fields.get("timestamp")
        if isinstance(timestamp, str):
            fields["timestamp"] = _epoch(timestamp)
        if split is None:
            if not fields.get("message_id"):
                fields["message_id"] = f"import-{digest}:{line}"
            return [fields]
        names = str(fields.get("event", "")).split(split)
        if len(names) > MAX_NAMES_PER_ROW:
            raise ValueError(f"event: the cell has more than {MAX_NAMES_PER_ROW} event names.")
        return [
            {"message_id": f"import-{digest}:{line}:{n}"} | fields | {"event": name}
            for n, name in enumerate(names)
        ]

    return build


def _epoch(text: str) -> str | float:
    """Return Unix seconds as a number; other texts stay, also a date of eight digits."""
    digits = text.replace(".", "", 1)
    is_number = digits.isascii() and digits.isdigit() and len(digits) >= MIN_EPOCH_DIGITS
    return float(text) if is_number else text
