"""How a file is read: kind, format, mapping. Checked against the file before anything is stored."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from hashlib import sha256
from typing import Any, Self

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
from app.imports.loaders import EventPageLoader, Loader, PeriodNoter, RowPageLoader
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
"""Fields that a blank cell clears."""
CellReader = Callable[[list[str]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """How to read a file. ``split``: the text that separates several event names in one row.

    ``inclusive_ends``: the ends of subscriptions are last paid days, not the days after them.
    """

    kind: ImportKind
    format: FileFormat = FileFormat.CSV
    mapping: Sequence[str] = ()
    lookups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    split: str | None = None
    dry_run: bool = False
    inclusive_ends: bool = False

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        values = {each.name: config[each.name] for each in fields(cls) if each.name in config}
        values |= {"kind": ImportKind(config["kind"]), "format": FileFormat(config["format"])}
        return cls(**values)

    def config(self) -> dict[str, Any]:
        """Return the plan as JSON. A default that older imports do not have is left out."""
        config = asdict(self)
        if not self.inclusive_ends:
            del config["inclusive_ends"]
        return config

    def signature(self, file: FileFingerprint) -> str:
        """Return a hash of the file and this plan: imports with the same hash do the same."""
        text = json.dumps([self.config(), file.digest, file.size], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:32]

    def check(self, source: FileSource) -> None:
        """Raise MappingError or InvalidFileError if the file cannot be read with this plan."""
        if self.inclusive_ends and self.kind is not ImportKind.SUBSCRIPTIONS:
            raise MappingError("Inclusive ends apply to subscriptions only: omit inclusive_ends.")
        if self.format is FileFormat.NDJSON:
            if self.mapping or self.lookups or self.split:
                raise MappingError("Mappings, look-ups and splits are for CSV only: omit them.")
            check_ndjson(source)
            return
        if self.split is not None and (self.kind is not ImportKind.EVENTS or not self.split):
            raise MappingError("A split must not be empty, and applies to events only.")
        self._mapping(read_header(source))

    def _mapping(self, header: CsvHeader) -> ColumnMapping:
        mapping = ColumnMapping.parse(self.mapping, self.lookups)
        known, prefixes = mappable_fields(self.kind), OPEN_PREFIXES.get(self.kind, ())
        mapping = mapping.for_columns(header.columns, known, prefixes)
        for names in REQUIRED_FIELDS[self.kind]:
            if not set(names) & set(mapping.rules):
                raise MappingError(
                    f"No column is mapped to {' or '.join(names)}: map one of the file's"
                    f" columns. They are {', '.join(header.columns)[:300]}."
                )
        return mapping

    def open_reader(
        self, source: FileSource, *, offset: int | None, line: int | None
    ) -> RecordReader:
        """Open a file at an offset that is the start of a record; None: at the first record."""
        if self.format is FileFormat.NDJSON:
            return NdjsonReader(source, offset=offset, line=line)
        header = read_header(source)
        read = self._cell_reader(self._mapping(header), header.columns)
        return CsvReader(source, header, read, offset=offset, line=line)

    def _cell_reader(self, mapping: ColumnMapping, columns: Sequence[str]) -> CellReader:
        """Return a function from cells to fields. Blank cells of accounts and users become None."""
        read, prefixes = mapping.reader(columns), OPEN_PREFIXES.get(self.kind, ())
        if any(name.startswith(prefixes) for name in mapping.rules):
            read = nest_prefixed_fields(read, prefixes)
        if self.kind not in {ImportKind.ACCOUNTS, ImportKind.USERS}:
            return read
        blank = {name: None for name in mapping.rules if name in CLEARABLE_FIELDS}
        return lambda row: {**blank, **read(row)}

    @property
    def is_noted_first(self) -> bool:
        """Whether the file is read once more before, to find lines that contradict each other."""
        return self.kind is ImportKind.SUBSCRIPTIONS

    def make_loader(
        self,
        workspace: Workspace,
        file: FileFingerprint,
        now: datetime,
        *,
        import_id: str,
        notes: bool = False,
    ) -> Loader:
        """Return what stores the pages of an import. ``notes``: it only notes what they state."""
        if self.kind is ImportKind.EVENTS:
            build = event_builder(file.digest, self.split)
            return EventPageLoader(EventLoader(workspace, native.parse_call, now), build)
        is_table = self.format is FileFormat.CSV
        make = PeriodNoter if notes else RowPageLoader
        return make(self.kind, workspace, now, import_id, is_table, self.inclusive_ends)
