"""What becomes of a page of records: events into history, the others into their tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Protocol

from sqlalchemy.orm import Session

from app.accounts import aliases, tombstones
from app.accounts.links import LINK_FIELDS
from app.accounts.tables import Account, User
from app.accounts.traits import is_internal
from app.core.db import SessionFactory, Table
from app.events.reading.batch import ParsedBatch
from app.imports import queries
from app.imports.errors import RowError
from app.imports.event_loader import EventLoader, RowFields
from app.imports.kinds import ImportKind, parse_cells, validate_row
from app.imports.records import RecordPage
from app.imports.relationships import write_relationships
from app.workspaces.queries import get_workspace
from app.workspaces.tables import Workspace

ID_KINDS = {"account_id": "account", "parent_id": "account", "user_id": "user"}
"""What a row names, and the kind of tombstone that it could lie under."""
MISSING_TIMESTAMP = "missing_timestamp"
EVENTS_PER_PAGE, ROWS_PER_PAGE = 5000, 1000


@dataclass(slots=True)
class ParsedPage:
    """A page that has been read: what is to be stored, and what cannot be."""

    page: RecordPage
    content: Any
    errors: list[RowError] = field(default_factory=list)


@dataclass(slots=True)
class PageResult:
    """What became of a page in its transaction. ``first_day``: the earliest that it changes."""

    stored: int
    duplicates: int = 0
    errors: list[RowError] = field(default_factory=list)
    first_day: date | None = None


class Loader(Protocol):
    """Judges pages, which needs no database and is done ahead, and stores them."""

    at_once: ClassVar[int]

    def judge(self, page: RecordPage) -> ParsedPage: ...

    def prepare(self, sessions: SessionFactory, judged: ParsedPage) -> None: ...

    def write(self, session: Session, judged: ParsedPage) -> PageResult: ...


@dataclass
class EventPageLoader:
    """Events of rows; one row may hold several, joined."""

    loader: EventLoader
    made: Callable[[RowFields, int], list[RowFields]]
    at_once: ClassVar[int] = EVENTS_PER_PAGE

    def judge(self, page: RecordPage) -> ParsedPage:
        events: list[Any] = []
        lines: list[int] = []
        errors = list(page.errors)
        for record, line in zip(page.records, page.lines, strict=True):
            if not isinstance(record, dict):
                errors.append(RowError.of(line, "invalid_json"))
            elif record.get("timestamp") in (None, ""):
                errors.append(RowError.of(line, MISSING_TIMESTAMP))
            else:
                found = self.made(record, line)
                events += found
                lines += [line] * len(found)
        return ParsedPage(page, (self.loader.read(events, suspect=page.suspect), lines), errors)

    def prepare(self, sessions: SessionFactory, judged: ParsedPage) -> None:
        reading, _ = judged.content
        self.loader.create_partitions(sessions, reading)

    def write(self, session: Session, judged: ParsedPage) -> PageResult:
        reading: ParsedBatch
        reading, lines = judged.content
        done = self.loader.store(session, reading)
        errors = [RowError(lines[n], code, message) for n, code, message in done.refused]
        first = min((event.day for event in reading.events), default=None)
        return PageResult(done.stored, done.duplicates, errors, first and first.replace(day=1))


@dataclass
class RowPageLoader:
    """Accounts, users or subscriptions; of several rows of one key the last counts."""

    kind: ImportKind
    workspace: Workspace
    now: datetime
    is_table: bool
    at_once: ClassVar[int] = ROWS_PER_PAGE

    def judge(self, page: RecordPage) -> ParsedPage:
        judged = ParsedPage(page, [], list(page.errors))
        for record, line in zip(page.records, page.lines, strict=True):
            try:
                judged.content.append(
                    (line, validate_row(self.kind, self._fields(record, line), line))
                )
            except RowError as error:
                judged.errors.append(error)
        return judged

    def _fields(self, record: Any, line: int) -> Any:  # noqa: ANN401 - any JSON value
        try:
            return parse_cells(record) if self.is_table else record
        except ValueError as error:
            raise RowError(line, "invalid_row", str(error)) from None

    def prepare(self, sessions: SessionFactory, judged: ParsedPage) -> None:
        """Nothing is needed beforehand."""

    def write(self, session: Session, judged: ParsedPage) -> PageResult:
        rows, errors = _admitted(session, self.workspace.id, judged.content)
        ROW_WRITERS[self.kind](session, self.workspace, [row for _, row in rows], self.now)
        refused = (
            write_relationships(session, self.workspace.id, rows)
            if self.kind is ImportKind.ACCOUNTS
            else []
        )
        return PageResult(len(rows) - len(refused), 0, [*errors, *refused], date.min)


def _admitted(
    session: Session, workspace_id: str, rows: Sequence[tuple[int, RowFields]]
) -> tuple[list[tuple[int, RowFields]], list[RowError]]:
    """Leave out what was erased, and let rows of renamed accounts go by the new id."""
    named = {row[name] for _, row in rows for name in ID_KINDS if row.get(name)}
    key = tombstones.find_key(session, workspace_id)
    hits = tombstones.find_matches(session, workspace_id, key, named) if key else set()
    current = aliases.current_ids(session, workspace_id, named) if named else {}
    kept, errors = [], []
    for line, row in rows:
        if {(kind, row.get(name)) for name, kind in ID_KINDS.items()} & hits:
            errors.append(RowError.of(line, "erased"))
        else:
            accounts = {name: row.get(name) or "" for name in ("account_id", "parent_id")}
            moved = {name: current[key] for name, key in accounts.items() if key in current}
            kept.append((line, row | moved))
    return kept, errors


def _put_accounts(
    session: Session, workspace: Workspace, rows: Sequence[RowFields], _: datetime
) -> None:
    """What accounts are tied to is written when all of the page are there."""
    parents = {row["parent_id"] for row in rows if row.get("parent_id")}
    queries.insert_missing_accounts(session, workspace.id, parents)
    columns = [{name: row[name] for name in row if name not in LINK_FIELDS} for row in rows]
    _put_said(session, workspace.id, Account, "account_id", columns)


def _put_users(
    session: Session, workspace: Workspace, rows: Sequence[RowFields], now: datetime
) -> None:
    """Note accounts first, as ingestion does; an internal address excludes its person."""
    accounts = {row["account_id"] for row in rows if row.get("account_id")}
    queries.insert_missing_accounts(session, workspace.id, accounts)
    completed = []
    for row in rows:
        said = dict(row)
        if "account_id" in said:
            said["account_since"] = now
        if said.get("excluded") is None:
            said.pop("excluded", None)
            if is_internal(said.get("email"), workspace.internal_domains):
                said["excluded"] = True
        completed.append(said)
    _put_said(session, workspace.id, User, "user_id", completed)


def _put_subscriptions(
    session: Session, workspace: Workspace, rows: Sequence[RowFields], _: datetime
) -> None:
    completed = [_period(row, workspace.base_currency) for row in rows]
    key = ("account_id", "subscription_id", "starts_on", "known_on")
    latest = {tuple(row[name] for name in key): row for row in completed}
    queries.upsert_subscription_history(session, workspace.id, list(latest.values()))


def _period(row: RowFields, base_currency: str) -> RowFields:
    said = {
        "subscription_id": "main",
        **dict.fromkeys(("ends_on", "end_reason", "plan", "seats", "renewal_on", "notice_days")),
        **row,
        "source": "import",
    }
    said["currency"] = said.get("currency") or base_currency
    said["known_on"] = said.get("known_on") or said["starts_on"]
    return said


def _put_said(
    session: Session, workspace_id: str, table: type[Table], key: str, rows: Sequence[RowFields]
) -> None:
    """Write what is said in as few statements as there are sets of fields, in key order."""
    merged: dict[str, RowFields] = {}
    for row in rows:
        before = merged.setdefault(row[key], {})
        for name, value in row.items():
            is_merged = name in queries.MERGED_COLUMNS and name in before
            before[name] = {**before[name], **value} if is_merged else value
    by_fields: dict[tuple[str, ...], list[RowFields]] = {}
    for each in sorted(merged, key=lambda named: named.encode()):
        row = merged[each]
        by_fields.setdefault(tuple(sorted(row)), []).append(row)
    for alike in by_fields.values():
        queries.upsert_rows(session, workspace_id, table, alike)


ROW_WRITERS: dict[
    ImportKind, Callable[[Session, Workspace, Sequence[RowFields], datetime], None]
] = {
    ImportKind.ACCOUNTS: _put_accounts,
    ImportKind.USERS: _put_users,
    ImportKind.SUBSCRIPTIONS: _put_subscriptions,
}


def load_workspace(sessions: SessionFactory, workspace_id: str) -> Workspace:
    with sessions() as session:
        return get_workspace(session, workspace_id)
