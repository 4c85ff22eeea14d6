"""What events state about a price, day by day, and the periods that follow from it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any

from app.accounts.subscriptions import Billing, Period, Terms

STARTED = "started"
"""The field that says that a subscription starts, so that an announced end no longer counts."""
Stated = tuple[datetime, Any]
"""A value and when it was stated."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """An end, stated at a time. ``ends_on``: the first day that is not paid."""

    at: datetime
    ends_on: date
    reason: str | None


@dataclass(frozen=True, slots=True)
class DayStatement:
    """What the events of one day state: the newest value of each field, the newest cancellation."""

    day: date
    fields: Mapping[str, Stated] = field(default_factory=dict)
    cancellation: Cancellation | None = None

    def merge(self, other: "DayStatement") -> "DayStatement":
        """Return what both state. The newest value wins; at the same time that of ``other``."""
        fields = dict(self.fields)
        for name, stated in other.fields.items():
            if name not in fields or fields[name][0] <= stated[0]:
                fields[name] = stated
        ends = [each for each in (self.cancellation, other.cancellation) if each]
        newest = max(reversed(ends), key=lambda each: each.at, default=None)
        return DayStatement(self.day, fields, newest)

    def states(self, values: Mapping[str, Any]) -> bool:
        """Whether the events of the day state all of these values."""
        return {name: value for name, (_, value) in self.fields.items()}.items() >= values.items()

    def without(self, names: Collection[str]) -> "DayStatement":
        return replace(self, fields={n: v for n, v in self.fields.items() if n not in names})

    def values(self, *, before_end: bool) -> dict[str, Any]:
        """Return the values that were stated before (or else after) the cancellation."""
        end = self.cancellation
        return {
            name: value
            for name, (at, value) in self.fields.items()
            if (end is None or at <= end.at) is before_end
        }


@dataclass(slots=True)
class _Replay:
    """The periods so far. ``fields``: what holds now. ``end``: the cancellation that holds now."""

    base_currency: str
    fields: dict[str, Any] = field(default_factory=dict)
    end: Cancellation | None = None
    periods: list[Period] = field(default_factory=list)

    def state(self, day: date, values: dict[str, Any]) -> None:
        """Apply the values of a day. After an end only a new price starts a period."""
        if not values:
            return
        starts = values.pop(STARTED, False)
        if self.end is not None and day >= self.end.ends_on:
            self.fields, self.end = {}, None
        elif starts:
            self.end = None
        self.fields |= values
        if "mrr_cents" in self.fields:
            self._add(day)

    def _add(self, day: date) -> None:
        known, end = self.fields, self.end
        currency = known.get("currency") or self.base_currency
        new = Period(
            day,
            end.ends_on if end else None,
            Terms(known.get("plan"), known["mrr_cents"], currency, known.get("seats")),
            known.get("renewal_on"),
            end.reason if end else None,
            known.get("notice_days"),
            Billing(known.get("billing_period_months")),
        )
        last = self.periods.pop() if self.periods else None
        if last is None or (last.ends_on is not None and last.ends_on < day):
            self.periods += [last, new] if last else [new]
        elif last.terms == new.terms or last.starts_on == day:
            self.periods.append(replace(new, starts_on=last.starts_on))
        else:
            self.periods += [replace(last, ends_on=day, end_reason=None), new]

    def cancel(self, end: Cancellation) -> None:
        """End what is paid. An earlier end stays."""
        if self.end is not None and self.end.ends_on <= end.ends_on:
            return
        self.end = end
        self.periods = end_at(self.periods, end.ends_on, end.reason)


def end_at(periods: Iterable[Period], on: date, reason: str | None) -> list[Period]:
    """Return the periods before a day. The one that runs on it, or ends on it, ends there."""
    before = [period for period in periods if period.starts_on < on]
    if before and (before[-1].ends_on is None or before[-1].ends_on >= on):
        before[-1] = replace(before[-1], ends_on=on, end_reason=reason)
    return before


def replay(statements: Iterable[DayStatement], base_currency: str) -> Sequence[Period]:
    """Return the periods that follow from statements, in order and without overlap."""
    replayed = _Replay(base_currency)
    for statement in sorted(statements, key=lambda each: each.day):
        replayed.state(statement.day, statement.values(before_end=True))
        if statement.cancellation is not None:
            replayed.cancel(statement.cancellation)
            replayed.state(statement.day, statement.values(before_end=False))
    return replayed.periods


def statements_of(periods: Sequence[Period]) -> list[DayStatement]:
    """Return statements that give these periods: stored periods from before statements were."""
    statements: list[DayStatement] = []
    for period, after in zip(periods, [*periods[1:], None], strict=False):
        at = _midnight(period.starts_on)
        values = asdict(period.terms) | {
            "renewal_on": period.renewal_on,
            "notice_days": period.notice_days,
            "billing_period_months": period.billing.billing_period_months,
            STARTED: True,
        }
        fields = {name: (at, value) for name, value in values.items()}
        statements.append(DayStatement(period.starts_on, fields))
        if period.ends_on is not None and (after is None or after.starts_on > period.ends_on):
            end = Cancellation(_midnight(period.ends_on), period.ends_on, period.end_reason)
            statements.append(DayStatement(period.ends_on, {}, end))
    return statements


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
