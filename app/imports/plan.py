"""What is to be read from a file, and how; checked against the file before anything is stored."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from app.events.reading import native
from app.imports.event_loader import EventLoader, event_builder
from app.imports.files import FileFingerprint, FileSource
from app.imports.kinds import (
    OBJECT_FIELDS,
    OPEN_PREFIXES,
    REQUIRED_FIELDS,
    AccountImportRow,
    ImportKind,
    UserImportRow,
    mappable_fields,
    nest_prefixed_fields,
)
from app.imports.loaders import EventPageLoader, Loader, RowPageLoader
from app.imports.mapping import ColumnMapping, MappingError
from app.imports.records import (
    CsvHeader,
    CsvReader,
    FileFormat,
    NdjsonReader,
    RecordReader,
    check_ndjson,
    read_header,
)
from app.workspaces.tables import Workspace

CLEARABLE_FIELDS = {*AccountImportRow.model_fields, *UserImportRow.model_fields} - {
    *("account_id", "user_id", "excluded"),
    *OBJECT_FIELDS,
}
"""What a blank cell removes."""
CellReader = Callable[[list[str]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """How to read a file. ``split``: the event name of a row is several, joined by it."""

    kind: ImportKind
    format: FileFormat = FileFormat.CSV
    mapping: Sequence[str] = ()
    lookups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    split: str | None = None
    dry_run: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "ImportPlan":
        return cls(
            ImportKind(config["kind"]),
            FileFormat(config["format"]),
            config["mapping"],
            config["lookups"],
            config["split"],
            config["dry_run"],
        )

    def config(self) -> dict[str, Any]:
        return asdict(self)

    def signature(self, content: FileFingerprint) -> str:
        """Name a file and how it is read: what was done once need not be done again."""
        said = json.dumps([self.config(), content.digest, content.size], sort_keys=True)
        return sha256(said.encode()).hexdigest()[:32]

    def check(self, source: FileSource) -> None:
        """Raise where no row of the file could be read so."""
        if self.format is FileFormat.NDJSON:
            if self.mapping or self.lookups or self.split:
                raise MappingError("Only the columns of a CSV file can be mapped.")
            check_ndjson(source)
            return
        if self.split is not None and (self.kind is not ImportKind.EVENTS or not self.split):
            raise MappingError("Only the names of events can be split, by a text.")
        self._columns(read_header(source))

    def _columns(self, start: CsvHeader) -> ColumnMapping:
        mapping = ColumnMapping.parse(self.mapping, self.lookups)
        known, prefixes = mappable_fields(self.kind), OPEN_PREFIXES.get(self.kind, ())
        mapping = mapping.for_columns(start.columns, known, prefixes)
        for names in REQUIRED_FIELDS[self.kind]:
            if not set(names) & set(mapping.rules):
                raise MappingError(
                    f"No column is mapped to {' or '.join(names)}; the file has"
                    f" {', '.join(start.columns)[:300]}."
                )
        return mapping

    def reader(self, source: FileSource, *, offset: int | None, line: int | None) -> RecordReader:
        """Open a file at a place that is the start of a record; None: at the first one."""
        if self.format is FileFormat.NDJSON:
            return NdjsonReader(source, offset=offset, line=line)
        start = read_header(source)
        read = self._cells(self._columns(start), start.columns)
        return CsvReader(source, start, read, offset=offset, line=line)

    def _cells(self, mapping: ColumnMapping, columns: Sequence[str]) -> CellReader:
        """Make the function from a row of cells to what it says; blank says that there is none."""
        read, prefixes = mapping.reader(columns), OPEN_PREFIXES.get(self.kind, ())
        if any(name.startswith(prefixes) for name in mapping.rules):
            read = nest_prefixed_fields(read, prefixes)
        if self.kind not in {ImportKind.ACCOUNTS, ImportKind.USERS}:
            return read
        blank = {name: None for name in mapping.rules if name in CLEARABLE_FIELDS}
        return lambda row: {**blank, **read(row)}

    def loader(self, workspace: Workspace, content: FileFingerprint, now: datetime) -> Loader:
        if self.kind is ImportKind.EVENTS:
            made = event_builder(content.digest, self.split)
            return EventPageLoader(EventLoader(workspace, native.parse_call, now), made)
        return RowPageLoader(self.kind, workspace, now, is_table=self.format is FileFormat.CSV)
