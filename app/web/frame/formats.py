"""Numbers, money and days for readers of a language, by Babel. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING

from app.core.languages import Language
from app.core.number_format import UNKNOWN, format_signed, is_known

if TYPE_CHECKING:
    from babel import Locale

SMALL_CENTS = 100_00
"""Amounts below this are written with cents, if they have any."""


@dataclass(frozen=True, slots=True)
class Formats:
    """Formats of a language; an unknown value is a dash."""

    language: Language

    @property
    def locale(self) -> "Locale":
        return _locale(self.language)

    def number(self, value: float | None, digits: int = 0) -> str:
        from babel.numbers import format_decimal

        if not is_known(value):
            return UNKNOWN
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        return format_decimal(round(value, digits), format=pattern, locale=self.locale)

    def score(self, value: float | None) -> str:
        """Write a score with one decimal, always: columns of scores are aligned."""
        from babel.numbers import format_decimal

        if not is_known(value):
            return UNKNOWN
        return format_decimal(round(value, 1), format="0.0", locale=self.locale)

    def signed(self, points: float | None) -> str:
        return format_signed(points) if is_known(points) else UNKNOWN

    def money(self, cents: float | None, currency: str | None) -> str:
        from babel.numbers import format_currency

        if not is_known(cents) or not currency:
            return UNKNOWN
        has_cents = abs(cents) < SMALL_CENTS and round(cents) % 100
        pattern = "¤#,##0.00" if has_cents else "¤#,##0"
        return format_currency(
            cents / 100, currency, format=pattern, locale=self.locale, currency_digits=False
        )

    def percent(self, share: float | None) -> str:
        from babel.numbers import format_percent

        return format_percent(share, locale=self.locale) if is_known(share) else UNKNOWN

    def day(self, day: date | None) -> str:
        from babel.dates import format_date

        return format_date(day, "medium", locale=self.locale) if day else UNKNOWN

    def minute(self, at: datetime | None) -> str:
        """Write a time in UTC, which is the time of every day of the service."""
        from babel.dates import format_datetime

        if at is None:
            return UNKNOWN
        return f"{format_datetime(at, 'medium', locale=self.locale)[:-3]} UTC"


@cache
def _locale(language: Language) -> "Locale":
    from babel import Locale

    return Locale.parse(language.tag, sep="-")
