"""Subscription periods: compute the periods to write for a change of terms."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Terms:
    """Plan, price, currency and seats: they change only with a new period."""

    plan: str | None
    mrr_cents: int
    currency: str
    seats: int | None


@dataclass(frozen=True, slots=True)
class Period:
    """Constant terms from ``starts_on`` to the day before ``ends_on`` (None: still running).

    ``notice_days``: how many days before ``renewal_on`` notice must be given; None: until that day.
    A period that ends on the day it starts is withdrawn.
    """

    starts_on: date
    ends_on: date | None
    terms: Terms
    renewal_on: date | None = None
    end_reason: str | None = None
    notice_days: int | None = None

    def covers(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)

    @property
    def is_withdrawn(self) -> bool:
        return self.ends_on == self.starts_on

    def begins_within(self, other: "Period") -> bool:
        """Whether this period starts after the other has started and before the other ends."""
        return other.starts_on < self.starts_on and (
            other.ends_on is None or self.starts_on < other.ends_on
        )


def apply_period(periods: Iterable[Period], new: Period) -> list[Period]:
    """Return the periods to write so that ``new`` is in force from its start to its end.

    A period that runs on the first day of ``new`` ends there and does not resume. Periods that
    would begin before the end of ``new`` are withdrawn; later ones stay. The same terms again
    change no price: they extend or shorten the running period, or move its renewal day.
    """
    current = [period for period in periods if not period.is_withdrawn]
    running = next((p for p in current if p.covers(new.starts_on)), None)
    withdrawn = [replace(p, ends_on=p.starts_on) for p in current if p.begins_within(new)]
    if running and running.terms == new.terms:
        same = replace(new, starts_on=running.starts_on)
        return withdrawn + ([same] if same != running else [])
    if running and running.starts_on < new.starts_on:
        cut = replace(running, ends_on=new.starts_on, end_reason=None)
        return [cut, new, *withdrawn]
    return [new, *withdrawn]


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


def withdraw_periods(periods: Iterable[Period], wrong: Iterable[Period]) -> list[Period]:
    """Return the periods to write as if the wrong ones had never begun.

    The period that each of them ended runs on until the wrong one's end.
    """
    valid = {period.starts_on: period for period in periods if not period.is_withdrawn}
    written: dict[date, Period] = {}
    for start in sorted((period.starts_on for period in wrong), reverse=True):
        withdrawn = valid.pop(start)
        written[start] = replace(withdrawn, ends_on=start)
        end, reason = withdrawn.ends_on, withdrawn.end_reason
        for each in [p for p in valid.values() if p.ends_on == start and p.end_reason is None]:
            runs_on = replace(each, ends_on=end, end_reason=reason)
            valid[each.starts_on] = written[each.starts_on] = runs_on
    return list(written.values())


def period_with_price(
    periods: Iterable[Period], price: Mapping[str, Any], *, on: date, base_currency: str
) -> Period | None:
    """Return the period that begins when a ``group`` call sends plan, price, seats or renewal day.

    Fields that the call leaves out are taken from the running period. Return None if no price is
    known. The period of a late call ends where the next known period starts.
    """
    current = [period for period in periods if not period.is_withdrawn]
    running = next((p for p in current if p.covers(on)), None)
    fields = {"currency": base_currency, **(_price_fields(running) if running else {}), **price}
    if "mrr_cents" not in fields:
        return None
    return Period(
        on,
        min((p.starts_on for p in current if p.starts_on > on), default=None),
        Terms(fields.get("plan"), fields["mrr_cents"], fields["currency"], fields.get("seats")),
        fields.get("renewal_on"),
        notice_days=running.notice_days if running else None,
    )


def _price_fields(period: Period) -> Mapping[str, Any]:
    return {**asdict(period.terms), "renewal_on": period.renewal_on}
