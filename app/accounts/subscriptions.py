"""Subscription periods: compute the periods to write for a change of terms."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import accumulate
from typing import Any


@dataclass(frozen=True, slots=True)
class Terms:
    """Plan, price, currency and seats: they change only with a new period."""

    plan: str | None
    mrr_cents: int
    currency: str
    seats: int | None


@dataclass(frozen=True, slots=True)
class Billing:
    """How a period is billed and renewed; None: not known.

    ``discount_share``: the share of the list price that is taken off.
    """

    billing_period_months: int | None = None
    term_months: int | None = None
    auto_renews: bool | None = None
    discount_share: float | None = None


UNKNOWN_BILLING = Billing()


@dataclass(frozen=True, slots=True)
class Period:
    """Constant terms from ``starts_on`` to the day before ``ends_on`` (None: still running).

    ``notice_days``: how many days before ``renewal_on`` notice must be given; None: not known.
    A period that ends on the day it starts is withdrawn.
    """

    starts_on: date
    ends_on: date | None
    terms: Terms
    renewal_on: date | None = None
    end_reason: str | None = None
    notice_days: int | None = None
    billing: Billing = UNKNOWN_BILLING

    def covers(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)

    @property
    def is_withdrawn(self) -> bool:
        return self.ends_on == self.starts_on

    def columns(self) -> dict[str, Any]:
        """Return the columns of the table that hold the period."""
        fields = asdict(self)
        return {**fields.pop("terms"), **fields.pop("billing"), **fields}


@dataclass(frozen=True, slots=True)
class KnownPeriod:
    """A period as it is known from a day on, until a newer version of it is known.

    ``merges``: the accounts that it belonged to before merges, and the day of each merge.
    """

    known_on: date
    period: Period
    source: str = ""
    merges: tuple[tuple[str, date], ...] = ()


def apply_period(
    periods: Iterable[Period], new: Period, *, keeps_start: bool = False
) -> list[Period]:
    """Return the periods to write so that ``new`` is in force from its start.

    It ends where a later period starts, if it does not end before. A period that runs on its first
    day ends there and does not resume. So the order in which periods arrive does not matter. The
    same terms again change no price: they extend or shorten the running period, or change when it
    renews and how it is billed; with ``keeps_start`` they begin a period of their own.
    """
    current = [period for period in periods if not period.is_withdrawn]
    new = _until_next(new, (period.starts_on for period in current))
    running = next((p for p in current if p.covers(new.starts_on)), None)
    if running is None or running.starts_on == new.starts_on:
        return [] if new == running else [new]
    if running.terms == new.terms and not keeps_start:
        same = replace(new, starts_on=running.starts_on)
        return [same] if same != running else []
    return [replace(running, ends_on=new.starts_on, end_reason=None), new]


def _until_next(period: Period, starts: Iterable[date]) -> Period:
    """Return the period, ended where the next one starts if it does not end before."""
    ends = [day for day in starts if day > period.starts_on]
    until = min(ends, default=None)
    if until is None or (period.ends_on is not None and period.ends_on <= until):
        return period
    return replace(period, ends_on=until, end_reason=None)


def end_superseded(versions: Iterable[KnownPeriod]) -> list[KnownPeriod]:
    """Return the versions of a subscription's periods, each ended where a newer period starts.

    Such an end is known from the day on which both periods are known.
    """
    by_start = _by_start(versions)
    starts = _known_starts(by_start)
    earliest = _earliest_from_the_end(starts)
    ended: list[KnownPeriod] = []
    for place, (starts_on, _) in enumerate(starts, start=1):
        several = by_start.pop(starts_on)
        for version, until in zip(several, [*several[1:], None], strict=True):
            ended += _cut(version, until, starts[place:], earliest[place:])
    return [*ended, *(version for withdrawn in by_start.values() for version in withdrawn)]


def without_derived_ends(versions: Iterable[KnownPeriod]) -> list[KnownPeriod]:
    """Return the versions that were stated, without those that ``end_superseded`` adds to them."""
    by_start = _by_start(versions)
    starts = dict(_known_starts(by_start))
    stated: list[KnownPeriod] = []
    for several in by_start.values():
        own = several[:1]
        for version in several[1:]:
            ends_on = version.period.ends_on
            newer_known_on = starts.get(ends_on) if ends_on else None
            since = max(own[-1].known_on, newer_known_on) if newer_known_on else None
            if since is None or not _says_the_same(version, _ended(own[-1], ends_on, since)):
                own.append(version)
        stated += own
    return stated


def _ended(version: KnownPeriod, ends_on: date | None, known_on: date) -> KnownPeriod:
    period = replace(version.period, ends_on=ends_on, end_reason=None)
    return replace(version, known_on=known_on, period=period)


def _says_the_same(version: KnownPeriod, other: KnownPeriod) -> bool:
    """Whether both state one period from one day on, whoever wrote the end that was derived."""
    return (version.known_on, version.period) == (other.known_on, other.period)


def _by_start(versions: Iterable[KnownPeriod]) -> dict[date, list[KnownPeriod]]:
    by_start: dict[date, list[KnownPeriod]] = {}
    for version in sorted(versions, key=lambda each: (each.period.starts_on, each.known_on)):
        by_start.setdefault(version.period.starts_on, []).append(version)
    return by_start


def _known_starts(by_start: Mapping[date, Sequence[KnownPeriod]]) -> list[tuple[date, date]]:
    """Return the start of each period that is not withdrawn, and the day it became known."""
    return [
        (starts_on, next(each.known_on for each in versions if not each.period.is_withdrawn))
        for starts_on, versions in by_start.items()
        if not versions[-1].period.is_withdrawn
    ]


def _earliest_from_the_end(starts: Sequence[tuple[date, date]]) -> list[date]:
    """Return, for each place, the earliest known day of the starts from there on."""
    return list(accumulate((known_on for _, known_on in reversed(starts)), min))[::-1]


def _cut(
    version: KnownPeriod,
    until: KnownPeriod | None,
    newer: Sequence[tuple[date, date]],
    earliest: Sequence[date],
) -> list[KnownPeriod]:
    """Return a version, and its ends by newer periods that are known before ``until`` is.

    ``newer``: start and known day of the later periods, the nearest first. ``earliest``: the
    earliest known day from each of them on.
    """
    ends: list[KnownPeriod] = []
    known_before = until.known_on if until else date.max
    for (starts_on, known_on), best in zip(newer, earliest, strict=True):
        ends_on = version.period.ends_on
        if best >= known_before or (ends_on and ends_on <= starts_on):
            break
        since = max(version.known_on, known_on)
        if since < known_before:
            ends.insert(0, _ended(version, starts_on, since))
            known_before = since
        if since == version.known_on:
            return ends
    return [version, *ends]


def end_periods(periods: Iterable[Period], on: date, reason: str | None) -> list[Period]:
    """Return the periods to write so that nothing is paid from the day ``on``.

    A period that ends earlier is not changed.
    """
    written = []
    for period in periods:
        if period.is_withdrawn or (period.ends_on is not None and period.ends_on < on):
            continue
        last = replace(
            period, ends_on=max(on, period.starts_on), end_reason=reason or period.end_reason
        )
        if last != period:
            written.append(last)
    return written


def replace_all(periods: Iterable[Period], wanted: Iterable[Period]) -> list[Period]:
    """Return the periods to write so that exactly the wanted ones remain."""
    current = {period.starts_on: period for period in periods if not period.is_withdrawn}
    changed = [period for period in wanted if current.pop(period.starts_on, None) != period]
    return [*changed, *(replace(p, ends_on=p.starts_on) for p in current.values())]
