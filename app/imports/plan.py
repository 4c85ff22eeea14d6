"""What is to be read from a file, and how; checked against the file before anything is stored."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from app.events.reading import native
from app.imports.events import EventLoader, events_of
from app.imports.files import Content, Source
from app.imports.kinds import NEEDED, OBJECTS, OPEN, AccountRow, Kind, UserRow, fields_of, nested
from app.imports.loading import EventPages, Loader, RowPages
from app.imports.mapping import ColumnMapping, MappingError
from app.imports.records import (
    CsvReader,
    Format,
    Header,
    NdjsonReader,
    Reader,
    check_ndjson,
    header,
)
from app.workspaces.tables import Workspace

BLANK = {*AccountRow.model_fields, *UserRow.model_fields} - {
    *("account_id", "user_id", "excluded"),
    *OBJECTS,
}
"""What a blank cell removes."""
Read = Callable[[list[str]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read a file. ``split``: the event name of a row is several, joined by it."""

    kind: Kind
    format: Format = Format.CSV
    mapping: Sequence[str] = ()
    lookups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    split: str | None = None
    dry_run: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Plan":
        return cls(
            Kind(config["kind"]),
            Format(config["format"]),
            config["mapping"],
            config["lookups"],
            config["split"],
            config["dry_run"],
        )

    def config(self) -> dict[str, Any]:
        return asdict(self)

    def signature(self, content: Content) -> str:
        """Name a file and how it is read: what was done once need not be done again."""
        said = json.dumps([self.config(), content.digest, content.size], sort_keys=True)
        return sha256(said.encode()).hexdigest()[:32]

    def check(self, source: Source) -> None:
        """Raise where no row of the file could be read so."""
        if self.format is Format.NDJSON:
            if self.mapping or self.lookups or self.split:
                raise MappingError("Only the columns of a CSV file can be mapped.")
            check_ndjson(source)
            return
        if self.split is not None and (self.kind is not Kind.EVENTS or not self.split):
            raise MappingError("Only the names of events can be split, by a text.")
        self._columns(header(source))

    def _columns(self, start: Header) -> ColumnMapping:
        mapping = ColumnMapping.parse(self.mapping, self.lookups)
        known, prefixes = fields_of(self.kind), OPEN.get(self.kind, ())
        mapping = mapping.for_columns(start.columns, known, prefixes)
        for names in NEEDED[self.kind]:
            if not set(names) & set(mapping.rules):
                raise MappingError(
                    f"No column is mapped to {' or '.join(names)}; the file has"
                    f" {', '.join(start.columns)[:300]}."
                )
        return mapping

    def reader(self, source: Source, *, offset: int | None, line: int | None) -> Reader:
        """Open a file at a place that is the start of a record; None: at the first one."""
        if self.format is Format.NDJSON:
            return NdjsonReader(source, offset=offset, line=line)
        start = header(source)
        read = self._cells(self._columns(start), start.columns)
        return CsvReader(source, start, read, offset=offset, line=line)

    def _cells(self, mapping: ColumnMapping, columns: Sequence[str]) -> Read:
        """Make the function from a row of cells to what it says; blank says that there is none."""
        read, prefixes = mapping.reader(columns), OPEN.get(self.kind, ())
        if any(name.startswith(prefixes) for name in mapping.rules):
            read = nested(read, prefixes)
        if self.kind not in {Kind.ACCOUNTS, Kind.USERS}:
            return read
        blank = {name: None for name in mapping.rules if name in BLANK}
        return lambda row: {**blank, **read(row)}

    def loader(self, workspace: Workspace, content: Content, now: datetime) -> Loader:
        if self.kind is Kind.EVENTS:
            made = events_of(content.digest, self.split)
            return EventPages(EventLoader(workspace, native.parse_call, now), made)
        return RowPages(self.kind, workspace, now, is_table=self.format is Format.CSV)
