"""The trial and deletion dates of an account, as B2B events state them in any order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from app.accounts.traits import field_time
from app.events.reading.b2b import B2BEvent, B2BEventKind

TRIAL_STARTED_ON, TRIAL_ENDS_ON, DELETED_ON = "trial_started_on", "trial_ends_on", "deleted_on"
TRIAL_ENDED_ON = "trial_ended_on"
"""The end that ``Trial Ended`` reports; ``TRIAL_ENDS_ON`` is the end that a start announces."""

Stated = tuple[str, date | None]
"""When a date was stated (``field_time``), and the date; None: there is none from then on."""


@dataclass(frozen=True, slots=True)
class LifecycleDates:
    """What is stated of each date: the newest statement by its own time counts."""

    stated: Mapping[str, Stated] = field(default_factory=dict)

    @classmethod
    def of_account(cls, columns: Mapping[str, date | None], stored: object) -> "LifecycleDates":
        """Return the dates of an account from its columns and its stored statements.

        Columns that the statements do not give come from billing or from an earlier release: they
        count as stated at the start of the trial, or of the day of the deletion.
        """
        dates = cls(_parse(stored))
        if columns == dates.columns():
            return dates
        started_on = columns[TRIAL_STARTED_ON]
        for name, day in columns.items():
            first = day if name == DELETED_ON else started_on or day
            if day is not None and first is not None:
                midnight = datetime.combine(first, time.min, UTC)
                dates = dates.state(name, (field_time(midnight), day))
        return dates

    @property
    def trial_started_on(self) -> date | None:
        return self._day(TRIAL_STARTED_ON)

    @property
    def trial_ends_on(self) -> date | None:
        """The end that was stated last, of those that are not before the start of the trial."""
        ends = [
            self.stated[name] for name in (TRIAL_ENDS_ON, TRIAL_ENDED_ON) if name in self.stated
        ]
        first = self.trial_started_on or date.min
        newest = sorted(ends, key=_sort_key, reverse=True)
        return next((day for _, day in newest if day is not None and day >= first), None)

    @property
    def deleted_on(self) -> date | None:
        return self._day(DELETED_ON)

    def columns(self) -> dict[str, date | None]:
        """Return the columns of the account."""
        return {
            TRIAL_STARTED_ON: self.trial_started_on,
            TRIAL_ENDS_ON: self.trial_ends_on,
            DELETED_ON: self.deleted_on,
        }

    def stored(self) -> dict[str, list[str | None]]:
        """Return the statements as JSON."""
        statements = self.stated.items()
        return {name: [at, day.isoformat() if day else None] for name, (at, day) in statements}

    def state(self, name: str, new: Stated) -> "LifecycleDates":
        """Return the dates after a statement. An older one than the known one changes nothing."""
        known = self.stated.get(name)
        if known is not None and _sort_key(known) >= _sort_key(new):
            return self
        return LifecycleDates({**self.stated, name: new})

    def _day(self, name: str) -> date | None:
        return self.stated[name][1] if name in self.stated else None


def _sort_key(stated: Stated) -> tuple[str, date]:
    at, day = stated
    return at, day or date.min


def _parse(stored: object) -> dict[str, Stated]:
    statements = stored if isinstance(stored, Mapping) else {}
    return {n: (at, day and date.fromisoformat(day)) for n, (at, day) in statements.items()}


def apply_b2b_event(dates: LifecycleDates, event: B2BEvent) -> LifecycleDates:
    """Return the dates after an event. The order in which events are applied does not matter."""
    at = event.time or field_time(event.at)
    match event.kind:
        case B2BEventKind.TRIAL_STARTED:
            dates = dates.state(TRIAL_STARTED_ON, (at, event.starts_on or event.day))
            return dates.state(TRIAL_ENDS_ON, (at, event.ends_on)) if event.ends_on else dates
        case B2BEventKind.TRIAL_ENDED:
            if event.starts_on:
                dates = dates.state(TRIAL_STARTED_ON, (at, event.starts_on))
            return dates.state(TRIAL_ENDED_ON, (at, min(event.ends_on or event.day, event.day)))
        case B2BEventKind.ACCOUNT_DELETED if not event.old_account_id:
            return dates.state(DELETED_ON, (at, event.day))
        case B2BEventKind.ACCOUNT_CREATED if not event.old_account_id:
            return dates.state(DELETED_ON, (at, None))
    return dates
