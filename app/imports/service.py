"""Import files through the same functions that requests go through, in bounded memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from app.accounts import queries as accounts
from app.accounts.due import Priority
from app.accounts.tables import Account, Subscription
from app.accounts.traits import cents, count, currency, day
from app.core import partitions
from app.core.db import Sessions, transaction
from app.events import native
from app.events import service as ingestion
from app.events.batch import Batch, read
from app.events.canonical import Dialect, Rules
from app.events.names import KnownNames
from app.events.queries import Origin
from app.events.times import Received
from app.health import queries as health
from app.imports import files, queries
from app.imports.mapping import ColumnMapping
from app.workspaces.tables import Workspace

EVENT_FIELDS = (
    *("event", "timestamp", "account_id", "user_id", "anonymous_id", "message_id"),
    "end_customer_id",
)
SUBSCRIPTION_FIELDS = (
    *("account_id", "subscription_id", "plan", "mrr", "currency", "seats"),
    *("starts_on", "ends_on", "renewal_on", "end_reason", "known_on"),
)
ACCOUNT_FIELDS = (
    *("account_id", "name", "segment", "owner", "plan", "industry"),
    *("employees", "end_customers", "started_on"),
)
AT_ONCE = 2500
FEWER_ROWS = 500

Row = dict[str, Any]
Progress = Callable[[int, int, "Tally"], None]
"""Called with bytes read, bytes in all, and what has become of the rows so far."""


@dataclass(slots=True)
class Tally:
    """What became of the rows of a file. ``first_error`` names the line."""

    rows: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    first_error: str | None = None
    earliest: date | None = None

    def reject(self, line: int, reason: str) -> None:
        self.rejected += 1
        self.first_error = self.first_error or f"line {line}: {reason}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go, and when that is."""

    sessions: Sessions
    workspace: Workspace
    now: datetime


def import_events(
    target: Target,
    path: Path,
    mapping: ColumnMapping,
    progress: Progress,
    *,
    split: str | None = None,
) -> Tally:
    """Take events in as history: each counts as known on its own day, nobody is alerted.

    A row without an id gets one made of the file's hash and its line number, so that importing
    the same file again changes nothing. ``split``: the event name is several, joined by it.
    """
    identity = files.digest(path)
    with files.open_text(path) as (text, position):
        columns, rows = files.rows(text)
        mapping.check(columns, EVENT_FIELDS)
        tally = Tally()
        loader = EventLoader(target, native.read, tally)
        found = (
            event
            for line, row in enumerate(rows, start=2)
            for event in _events(mapping.apply(row), f"{identity}:{line}", split)
        )
        while batch := list(islice(found, AT_ONCE)):
            loader.load(batch)
            progress(position.read(), position.size, tally)
        loader.finish()
    return tally


@dataclass
class EventLoader:
    """Stores batches of history, and makes the months that they fall in."""

    target: Target
    dialect: Dialect
    tally: Tally
    key_id: str = "import"

    def __post_init__(self) -> None:
        self.names = KnownNames()
        self.months: set[date] = set()
        workspace = self.target.workspace
        self.policy = ingestion.Policy(
            Rules(
                workspace.end_customer_keys, workspace.reach_property, workspace.internal_domains
            ),
            workspace.base_currency,
            oldest=None,
        )

    def load(self, batch: list[Any]) -> None:
        received = Received(self.target.now, oldest=None)
        reading = read(Batch(batch), self.dialect, self.policy.rules, received)
        origin = Origin(self.target.workspace.id, self.key_id, self.target.now)
        self._make_months({event.client_at.date().replace(day=1) for event in reading.events})
        with transaction(self.target.sessions) as session:
            outcome = ingestion.store(session, origin, reading, self.policy, self.names)
        duplicates = list(outcome.verdicts.values()).count("duplicate") + len(reading.repeats)
        self.tally.rows += len(batch)
        self.tally.duplicates += duplicates
        self.tally.stored += len(batch) - duplicates - len(reading.rejected)
        for row in reading.rejected:
            self.tally.reject(self.tally.rows - len(batch) + row.n + 2, row.detail)

    def finish(self) -> None:
        """Have benchmarks that this history changes built again."""
        if self.months:
            with transaction(self.target.sessions) as session:
                health.drop_benchmarks(session, self.target.workspace.id, since=min(self.months))

    def _make_months(self, months: set[date]) -> None:
        new = sorted(months - self.months)
        if new:
            with transaction(self.target.sessions) as session:
                for month in new:
                    partitions.make(session, month, month)
            self.months.update(new)


def import_subscriptions(
    target: Target, path: Path, mapping: ColumnMapping, progress: Progress
) -> Tally:
    """Take paid periods in, each known since its start unless the file says when."""

    def read_row(fields: Mapping[str, str]) -> Row:
        starts_on = day(fields["starts_on"])
        ends_on = _maybe(day, fields.get("ends_on"))
        if ends_on is not None and ends_on <= starts_on:
            raise ValueError("ends_on must lie after starts_on")
        return {
            "account_id": fields["account_id"],
            "subscription_id": fields.get("subscription_id", "main"),
            "starts_on": starts_on,
            "known_on": _maybe(day, fields.get("known_on")) or starts_on,
            "ends_on": ends_on,
            "end_reason": fields.get("end_reason"),
            "plan": fields.get("plan"),
            "mrr_cents": cents(fields["mrr"]),
            "currency": currency(fields.get("currency", target.workspace.base_currency)),
            "seats": _maybe(count, fields.get("seats")),
            "renewal_on": _maybe(day, fields.get("renewal_on")),
            "source": "import",
        }

    return _import_rows(
        target, path, mapping, SUBSCRIPTION_FIELDS, read_row=read_row, progress=progress
    )


def import_accounts(
    target: Target, path: Path, mapping: ColumnMapping, progress: Progress
) -> Tally:
    """Create accounts, or replace what the file says of them."""
    readers = {"employees": count, "end_customers": count, "started_on": day}

    def read_row(fields: Mapping[str, str]) -> Row:
        named: Row = {"account_id": fields["account_id"]}
        for name in mapping.rules:
            if name != "account_id":
                named[name] = _maybe(readers.get(name, str), fields.get(name))
        return named

    return _import_rows(target, path, mapping, ACCOUNT_FIELDS, read_row=read_row, progress=progress)


def _maybe(read: Callable[[str], Any], text: str | None) -> Any:  # noqa: ANN401 - what it reads
    return None if text is None else read(text)


def _import_rows(
    target: Target,
    path: Path,
    mapping: ColumnMapping,
    fields: tuple[str, ...],
    *,
    read_row: Callable[[Mapping[str, str]], Row],
    progress: Progress,
) -> Tally:
    """Read pages of rows and write each in one transaction; a bad row is counted and left out."""
    table = Account if fields is ACCOUNT_FIELDS else Subscription
    tally = Tally()
    with files.open_text(path) as (text, position):
        columns, rows = files.rows(text)
        mapping.check(columns, fields)
        for page in _pages(enumerate(rows, start=2)):
            found = [
                row for line, raw in page if (row := _read(mapping, raw, read_row, line, tally))
            ]
            _write(target, table, found)
            tally.rows += len(page)
            tally.stored += len(found)
            progress(position.read(), position.size, tally)
    with transaction(target.sessions) as session:
        health.drop_benchmarks(session, target.workspace.id, since=date.min)
    return tally


def _read(
    mapping: ColumnMapping,
    raw: Mapping[str, str],
    read_row: Callable[[Mapping[str, str]], Row],
    line: int,
    tally: Tally,
) -> Row | None:
    try:
        return read_row(mapping.apply(raw))
    except KeyError as error:
        tally.reject(line, f"{error.args[0]} is missing")
    except (ValueError, TypeError) as error:
        tally.reject(line, str(error))
    return None


def _write(target: Target, table: type[Account | Subscription], rows: list[Row]) -> None:
    """Write the last row of each key: one statement cannot change a row twice."""
    key = [column.name for column in table.__table__.primary_key][1:]
    latest = list({tuple(row[name] for name in key): row for row in rows}.values())
    with transaction(target.sessions) as session:
        if table is Subscription:
            queries.put_history(session, target.workspace.id, latest)
        else:
            queries.put_rows(session, target.workspace.id, table, latest)
        touched = {row["account_id"] for row in latest}
        accounts.mark_due(
            session, target.workspace.id, touched, priority=Priority.SILENT, notify=False
        )


def _pages(rows: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while page := list(islice(iterator, FEWER_ROWS)):
        yield page


def _events(fields: dict[str, str], identity: str, split: str | None) -> Iterator[dict[str, Any]]:
    """Make the native events of one row."""
    names = fields.get("event", "").split(split) if split else [fields.get("event", "")]
    for number, name in enumerate(names):
        suffix = f":{number}" if split else ""
        timestamp: Any = fields.get("timestamp")
        if timestamp is not None and timestamp.replace(".", "", 1).isdigit():
            timestamp = float(timestamp)
        yield (
            {"message_id": f"import-{identity}{suffix}"}
            | fields
            | {
                "event": name,
                "timestamp": timestamp,
            }
        )
