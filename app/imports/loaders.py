"""Store a page of records: events as history, other rows in their tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Protocol

from sqlalchemy.orm import Session

from app.accounts import aliases, tombstones
from app.accounts import queries as account_queries
from app.accounts.links import LINK_FIELDS, apply_links
from app.accounts.past_fields import keep_before_changes
from app.accounts.tables import Account, User
from app.accounts.traits import field_names, field_time
from app.accounts.user_traits import is_internal
from app.core.db import SessionFactory
from app.core.errors import ProblemError
from app.events.reading.batch import ParsedBatch
from app.imports import queries
from app.imports.errors import RowError
from app.imports.event_loader import EventLoader, RowFields
from app.imports.kinds import ImportKind, parse_cells, refuse_shortened_ids, validate_row
from app.imports.records import RecordPage
from app.imports.row_results import NumberedRow, RowsResult
from app.imports.stated_periods import StatedPeriods
from app.imports.subscription_rows import note_subscriptions, write_subscriptions
from app.workspaces.queries import get_workspace
from app.workspaces.tables import Workspace

ID_KINDS = {"account_id": "account", "parent_id": "account", "user_id": "user"}
"""The fields of a row that hold ids, with the kind of tombstone of an erased id."""
MISSING_TIMESTAMP = "missing_timestamp"
EVENTS_PER_PAGE, ROWS_PER_PAGE = 5000, 1000
NOT_LINKED = "parent_id or external_ids: cannot be set"
LINK_ERRORS = {
    "parent_cycle": "parent_id: is the account itself or below it",
    "parent_too_deep": "parent_id: the hierarchy of accounts would have too many levels",
    "unknown_parent": "parent_id: is no account of this workspace",
    "external_id_taken": "external_ids: an id already belongs to another account",
}
"""Messages of links that cannot be set, without the ids of the row."""


@dataclass(slots=True)
class ParsedPage:
    """A parsed page: the content to store, and the errors of rows that cannot be stored."""

    page: RecordPage
    content: Any
    errors: list[RowError] = field(default_factory=list)


@dataclass(slots=True)
class PageResult:
    """The result of storing a page.

    ``first_day``: the earliest day whose data changed. ``counts``: see ``row_results.COUNTED``.
    """

    stored: int
    duplicates: int = 0
    errors: list[RowError] = field(default_factory=list)
    first_day: date | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


class Loader(Protocol):
    """Parses pages and stores them. Parsing needs no database, so it can be done ahead."""

    page_size: ClassVar[int]

    def parse(self, page: RecordPage) -> ParsedPage: ...

    def prepare(self, sessions: SessionFactory, parsed: ParsedPage) -> None: ...

    def write(self, session: Session, parsed: ParsedPage) -> PageResult: ...


@dataclass
class EventPageLoader:
    """Loads events; one row may stand for several."""

    loader: EventLoader
    build_events: Callable[[RowFields, int], list[RowFields]]
    page_size: ClassVar[int] = EVENTS_PER_PAGE

    def parse(self, page: RecordPage) -> ParsedPage:
        events: list[Any] = []
        lines: list[int] = []
        errors = list(page.errors)
        for record, line in zip(page.records, page.lines, strict=True):
            if not isinstance(record, dict):
                errors.append(RowError.from_code(line, "invalid_json"))
            elif record.get("timestamp") in (None, ""):
                errors.append(RowError.from_code(line, MISSING_TIMESTAMP))
            else:
                try:
                    refuse_shortened_ids(record)
                    built = self.build_events(record, line)
                except ValueError as error:
                    errors.append(RowError(line, "invalid_row", str(error)))
                    continue
                events += built
                lines += [line] * len(built)
        return ParsedPage(page, (self.loader.parse(events, suspect=page.suspect), lines), errors)

    def prepare(self, sessions: SessionFactory, parsed: ParsedPage) -> None:
        batch, _ = parsed.content
        self.loader.create_partitions(sessions, batch)

    def write(self, session: Session, parsed: ParsedPage) -> PageResult:
        batch: ParsedBatch
        batch, lines = parsed.content
        stored = self.loader.store(session, batch)
        errors = [RowError(lines[n], code, message) for n, code, message in stored.rejected]
        first = min((event.day for event in batch.events), default=None)
        return PageResult(stored.stored, stored.duplicates, errors, first and first.replace(day=1))


@dataclass
class RowPageLoader:
    """Loads accounts, users or subscriptions; of several rows with one key the last counts."""

    kind: ImportKind
    workspace: Workspace
    now: datetime
    import_id: str
    is_table: bool
    inclusive_ends: bool = False
    page_size: ClassVar[int] = ROWS_PER_PAGE

    def parse(self, page: RecordPage) -> ParsedPage:
        parsed = ParsedPage(page, [], list(page.errors))
        for record, line in zip(page.records, page.lines, strict=True):
            try:
                fields = parse_cells(record) if self.is_table else record
                parsed.content.append((line, self._validate(fields, line)))
            except RowError as error:
                parsed.errors.append(error)
            except ValueError as error:
                parsed.errors.append(RowError(line, "invalid_row", str(error)))
        return parsed

    def _validate(self, fields: Any, line: int) -> RowFields:  # noqa: ANN401 - any JSON value
        return validate_row(self.kind, fields, line, inclusive_ends=self.inclusive_ends)

    def prepare(self, sessions: SessionFactory, parsed: ParsedPage) -> None:
        """Do nothing: these tables have no partitions."""

    def write(self, session: Session, parsed: ParsedPage) -> PageResult:
        rows, errors = _resolve_ids(session, self.workspace.id, parsed.content)
        result = self._write_rows(session, rows)
        return PageResult(
            len(rows) - len(result.errors) - result.duplicates,
            result.duplicates,
            [*errors, *result.errors],
            date.min,
            result.counts,
        )

    def _write_rows(self, session: Session, rows: Sequence[NumberedRow]) -> RowsResult:
        if self.kind is ImportKind.SUBSCRIPTIONS:
            stated = StatedPeriods(session, self.workspace.id, self.import_id)
            return write_subscriptions(
                session, self.workspace, rows, inclusive_ends=self.inclusive_ends, stated=stated
            )
        ROW_WRITERS[self.kind](session, self.workspace, [row for _, row in rows], self.now)
        if self.kind is ImportKind.ACCOUNTS:
            return RowsResult(errors=_write_relationships(session, self.workspace.id, rows))
        return RowsResult()


class PeriodNoter(RowPageLoader):
    """Stores no subscriptions, but notes the periods that a page of them states."""

    def write(self, session: Session, parsed: ParsedPage) -> PageResult:
        rows, _ = _resolve_ids(session, self.workspace.id, parsed.content)
        stated = StatedPeriods(session, self.workspace.id, self.import_id)
        note_subscriptions(self.workspace, rows, stated)
        return PageResult(0)


def _resolve_ids(
    session: Session, workspace_id: str, rows: Sequence[NumberedRow]
) -> tuple[list[NumberedRow], list[RowError]]:
    """Reject rows with erased ids, and replace former account ids by current ones."""
    ids = {row[name] for _, row in rows for name in ID_KINDS if row.get(name)}
    key = tombstones.find_key(session, workspace_id)
    erased = tombstones.find_matches(session, workspace_id, key, ids) if key else set()
    current = aliases.current_ids(session, workspace_id, ids) if ids else {}
    resolved, errors = [], []
    for line, row in rows:
        if {(kind, row.get(name)) for name, kind in ID_KINDS.items()} & erased:
            errors.append(RowError.from_code(line, "erased"))
        else:
            accounts = {name: row.get(name) or "" for name in ("account_id", "parent_id")}
            changed = {name: current[key] for name, key in accounts.items() if key in current}
            resolved.append((line, row | changed))
    return resolved, errors


def _with_times(row: RowFields, now: datetime) -> RowFields:
    """Add the time of each field: that of the import."""
    names = field_names((name for name in row if name != "traits"), row.get("traits") or ())
    return row | {"field_times": dict.fromkeys(names, field_time(now))}


def _write_accounts(
    session: Session, workspace: Workspace, rows: Sequence[RowFields], now: datetime
) -> None:
    """Write accounts without parents and external ids, which are set when all rows exist."""
    parents = {row["parent_id"] for row in rows if row.get("parent_id")}
    queries.insert_missing_accounts(session, workspace.id, parents)
    columns = [
        {name: value for name, value in _with_times(row, now).items() if name not in LINK_FIELDS}
        for row in rows
    ]
    _upsert_fields(session, workspace.id, Account, columns, now)


def _write_relationships(
    session: Session, workspace_id: str, rows: Sequence[NumberedRow]
) -> list[RowError]:
    """Set parents and external ids. Return an error for each row where that is not possible.

    A row can fail because of an earlier one: a hierarchy has no cycle, and an external id belongs
    to one account only.
    """
    rejected = []
    for line, row in rows:
        fields = {name: row[name] for name in LINK_FIELDS if name in row}
        if not fields:
            continue
        account = account_queries.get(session, workspace_id, Account, row["account_id"], lock=True)
        try:
            with session.begin_nested():
                apply_links(session, account, fields, replace=False)
        except ProblemError as error:
            rejected.append(RowError(line, "invalid_row", LINK_ERRORS.get(error.code, NOT_LINKED)))
    return rejected


def _write_users(
    session: Session, workspace: Workspace, rows: Sequence[RowFields], now: datetime
) -> None:
    """Create missing accounts first, as ingestion does. An internal address excludes its user."""
    accounts = {row["account_id"] for row in rows if row.get("account_id")}
    queries.insert_missing_accounts(session, workspace.id, accounts)
    completed = []
    for row in rows:
        user = _with_times(row, now) | ({"account_since": now} if "account_id" in row else {})
        if user.get("excluded") is None:
            user.pop("excluded", None)
            if is_internal(user.get("email"), workspace.internal_domains):
                user["excluded"] = True
        completed.append(user)
    _upsert_fields(session, workspace.id, User, completed, now)


def _upsert_fields(
    session: Session,
    workspace_id: str,
    table: type[Account | User],
    rows: Sequence[RowFields],
    now: datetime,
) -> None:
    """Merge the rows of each key and write them, one statement for each set of fields."""
    key = "account_id" if table is Account else "user_id"
    merged: dict[str, RowFields] = {}
    for row in rows:
        before = merged.setdefault(row[key], {})
        for name, value in row.items():
            is_merged = name in queries.MERGED_COLUMNS and name in before
            before[name] = {**before[name], **value} if is_merged else value
    if table is Account:
        keep_before_changes(session, workspace_id, merged.items(), today=now.date())
    by_fields: dict[frozenset[str], list[RowFields]] = {}
    for value in sorted(merged, key=str.encode):  # in the order of collation "C"
        by_fields.setdefault(frozenset(merged[value]), []).append(merged[value])
    for same_fields in by_fields.values():
        queries.upsert_rows(session, workspace_id, table, same_fields, today=now.date())


RowWriter = Callable[[Session, Workspace, Sequence[RowFields], datetime], None]
ROW_WRITERS: Mapping[ImportKind, RowWriter] = {
    ImportKind.ACCOUNTS: _write_accounts,
    ImportKind.USERS: _write_users,
}


def load_workspace(sessions: SessionFactory, workspace_id: str) -> Workspace:
    with sessions() as session:
        return get_workspace(session, workspace_id)
