"""Note all periods that a file states before any is stored, to find lines that contradict.

An import of subscriptions reads its file twice. The first time it only notes each period, so what
is refused the second time does not depend on where pages end (docs/adr/0034).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.subscriptions import KnownPeriod
from app.imports import queries
from app.imports.errors import RowError
from app.imports.queries import MAX_NOTED_LINES, NotedDays
from app.imports.tables import ImportPeriod

SubscriptionKey = tuple[str, str]
"""Account and subscription."""
PeriodKey = tuple[SubscriptionKey, date, date]
"""Account and subscription, first day, and the day from which the period is known."""
NumberedVersion = tuple[int, PeriodKey, KnownPeriod]
"""The number of a line, and the period that it states."""


@dataclass(frozen=True, slots=True)
class StatedPeriods:
    """The periods that the file of an import states."""

    session: Session
    workspace_id: str
    import_id: str

    def note(self, versions: Iterable[NumberedVersion], unnamed: Iterable[PeriodKey]) -> None:
        """Note the periods of a page: whether two lines give one period different terms.

        ``unnamed``: the periods of lines without a subscription_id.
        """
        hidden = {*unnamed}
        rows = [
            self._row(key, lines, is_unnamed=key in hidden)
            for key, lines in group_by_period(versions).items()
        ]
        rows.sort(key=itemgetter("key"))
        queries.note_periods(self.session, self.workspace_id, rows)

    def load(self, keys: Iterable[PeriodKey]) -> Mapping[PeriodKey, ImportPeriod]:
        """Return what is noted of periods. Periods that the file does not state are left out."""
        hashes = {self._hash(key): key for key in keys}
        rows = queries.list_noted_periods(
            self.session, self.workspace_id, self.import_id, hashes.keys()
        )
        return {hashes[row.key]: row for row in rows}

    def load_subscriptions(
        self, subscriptions: Iterable[SubscriptionKey]
    ) -> Mapping[PeriodKey, NotedDays]:
        """Return the days of all noted periods of subscriptions, without contradicted ones."""
        hashes = {self._hash(subscription): subscription for subscription in subscriptions}
        rows = queries.list_noted_of_subscriptions(
            self.session, self.workspace_id, self.import_id, hashes.keys()
        )
        return {
            (hashes[subscription], starts_on, known_on): note
            for subscription, starts_on, known_on, note in rows
        }

    def _row(
        self, key: PeriodKey, lines: Mapping[int, KnownPeriod], *, is_unnamed: bool
    ) -> Mapping[str, Any]:
        subscription, starts_on, known_on = key
        terms = [self._hash(version.period) for version in lines.values()]
        return {
            "import_id": self.import_id,
            "key": self._hash(key),
            "subscription": self._hash(subscription),
            "starts_on": starts_on,
            "known_on": known_on,
            "ends_on": next(iter(lines.values())).period.ends_on,
            "terms": terms[0],
            "lines": [*lines][:MAX_NOTED_LINES],
            "line_count": len(lines),
            "is_contradicted": len({*terms}) > 1,
            "is_unnamed": is_unnamed,
        }

    def _hash(self, value: object) -> bytes:
        """Hash under the id of the import: the table holds no ids of accounts."""
        return blake2b(repr(value).encode(), digest_size=16, key=self.import_id.encode()).digest()


def group_by_period(
    versions: Iterable[NumberedVersion],
) -> Mapping[PeriodKey, Mapping[int, KnownPeriod]]:
    """Return what is stated of each period, by line."""
    lines: defaultdict[PeriodKey, dict[int, KnownPeriod]] = defaultdict(dict)
    for line, key, version in versions:
        lines[key][line] = version
    return lines


def conflict_error(line: int, lines: Sequence[int], line_count: int) -> RowError:
    """Return the error of a line that contradicts others. ``lines``: the first of them."""
    others = [each for each in lines if each != line][: MAX_NOTED_LINES - 1]
    more = line_count - 1 - len(others)
    numbers = ", ".join(map(str, others)) + (f" and {more} more" if more else "")
    return RowError(
        line,
        "conflicting_periods",
        f"starts_on: another line gives the same subscription other terms from this day on (line"
        f" {numbers}). Give each product of an account a subscription_id of its own, for example"
        " by mapping it to the column of the product.",
    )
