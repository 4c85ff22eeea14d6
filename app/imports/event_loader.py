"""History of events: read as the wire reads them, stored and counted as known on their own day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.core import partitions
from app.core.db import SessionFactory, transaction
from app.events.ingestion import service as ingestion
from app.events.ingestion.event_names import KnownEventNames
from app.events.ingestion.queries import BatchOrigin
from app.events.ingestion.workspace_rules import event_rules
from app.events.reading.batch import Batch, ParsedBatch, parse_batch
from app.events.reading.canonical import Dialect
from app.events.reading.quarantine_codes import QUARANTINE_CODES
from app.events.reading.times import ReceiveContext
from app.imports.errors import ROW_CODES
from app.workspaces.tables import Workspace

FIRST_MONTH = date(1990, 1, 1)
MIN_EPOCH_DIGITS = 9


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """What became of a batch; ``refused``: number of the event, code and sentence."""

    stored: int
    duplicates: int
    refused: Sequence[tuple[int, str, str]]


@dataclass
class EventLoader:
    """Reads and stores batches of history, and makes the months that they fall in."""

    workspace: Workspace
    dialect: Dialect
    now: datetime
    key_id: str = "import"
    names: KnownEventNames = field(default_factory=KnownEventNames)
    months: set[date] = field(default_factory=set)

    def __post_init__(self) -> None:
        rules, base_currency = event_rules(self.workspace), self.workspace.base_currency
        self.policy = ingestion.IngestPolicy(rules, base_currency, oldest=None)

    def read(self, batch: Sequence[Any], *, suspect: bool = False) -> ParsedBatch:
        received = ReceiveContext(self.now, oldest=None)
        return parse_batch(Batch(batch, suspect), self.dialect, self.policy.rules, received)

    def store(self, session: Session, reading: ParsedBatch) -> StoredBatch:
        """Write and count what was read, in the caller's transaction."""
        origin = BatchOrigin(self.workspace.id, self.key_id, self.now)
        outcome = ingestion.store_batch(session, origin, reading, self.policy, self.names)
        kept = outcome.reading
        refused = [(row.n, row.code, QUARANTINE_CODES[row.code]) for row in kept.rejected]
        refused += [(n, "erased", ROW_CODES["erased"]) for n in kept.erased]
        repeated = list(outcome.verdicts.values()).count("duplicate")
        return StoredBatch(
            len(kept.events) - repeated, repeated + len(kept.repeats), sorted(refused)
        )

    def create_partitions(self, sessions: SessionFactory, reading: ParsedBatch) -> None:
        """Make partitions; what no calendar of ours reaches goes to the one for the rest."""
        months = {event.client_at.date().replace(day=1) for event in reading.events}
        new = sorted(month for month in months - self.months if month >= FIRST_MONTH)
        if new:
            with transaction(sessions) as session:
                for month in new:
                    partitions.create(session, month, month)
            self.months.update(new)


RowFields = dict[str, Any]


def event_builder(identity: str, split: str | None) -> Callable[[RowFields, int], list[RowFields]]:
    """Make the function from a row and its line to native events.

    An event without an id gets one made of the file's digest and its line. ``split``: the event
    name is several, joined by it.
    """

    def made(fields: RowFields, line: int) -> list[RowFields]:
        timestamp = fields.get("timestamp")
        if isinstance(timestamp, str):
            fields["timestamp"] = _epoch(timestamp)
        if split is None:
            if not fields.get("message_id"):
                fields["message_id"] = f"import-{identity}:{line}"
            return [fields]
        names = str(fields.get("event", "")).split(split)
        return [
            {"message_id": f"import-{identity}:{line}:{n}"} | fields | {"event": name}
            for n, name in enumerate(names)
        ]

    return made


def _epoch(text: str) -> str | float:
    """Read seconds with decimals as a number; eight digits are a date."""
    digits = text.replace(".", "", 1)
    is_number = digits.isascii() and digits.isdigit() and len(digits) >= MIN_EPOCH_DIGITS
    return float(text) if is_number else text
