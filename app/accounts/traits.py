"""Parse traits: known ones become columns, prices or links; all others are stored unchanged."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from app.accounts.billing_periods import parse_billing_period
from app.core.months import EARLIEST_DAY

LARGEST_MRR = Decimal(10) ** 12
LARGEST_COUNT = 2**53
LARGEST_EXACT_FLOAT = 2**53
GROUPED_DIGITS = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")
AMBIGUOUS_DIGITS = re.compile(r"[+-]?0*[1-9][0-9]{0,2}[.,][0-9]{3}")
"""Text that is a number with decimals in one country and a thousand times as much in another."""
AMBIGUOUS_NUMBER = (
    "must be a number in plain digits: three digits behind a dot or a comma may be decimals or"
    " thousands, so write 1500 or 1.50"
)
TIME_WITH_ZONE = re.compile(
    r"(?P<time>[0-9-]+[T ][0-9:]+([.,][0-9]+)?) ?(?P<offset>[+-][0-9:]+)?( ?(?P<utc>UTC|GMT|Z))?",
    re.IGNORECASE | re.ASCII,
)

SPELLINGS = {
    "createdAt": "created_at",
    "renewalDate": "renewal_date",
    "endCustomers": "end_customers",
    "company_name": "name",
    "parentId": "parent_id",
    "externalIds": "external_ids",
    "billingPeriod": "billing_period",
}

SYSTEM_PATTERN = r"^[a-z][a-z0-9_-]{0,63}$"
"""The name of another system."""
SHORTENED_NUMBER = re.compile(r"[0-9]([.,][0-9]+)?[eE]\+[0-9]{2,}")
SHORTENED_ID = (
    "was shortened by a spreadsheet, so digits are lost: format the column as text and export the"
    " file again"
)
LONGEST_ID, LONGEST_ID_BYTES = 255, 765
BYTE_ORDER_MARK = "\ufeff"
NOT_IDS = frozenset(
    {
        *("", "null", "undefined", "none", "nan", "0", "true", "false", "anonymous", "guest"),
        *("[object object]", "00000000-0000-0000-0000-000000000000"),
    }
)
"""Values that broken client code sends instead of an id."""


ANY_FIELD, ANY_VALUE = "*", "+"
"""Keys of ``field_times``: the time of all fields that are not listed, and of those of them that
have a value."""
TRAIT_PREFIX = "traits."
LONGEST_TIE_BREAK = 12


def field_time(at: datetime, message_id: str = "") -> str:
    """Return a time as ``field_times`` holds it: as texts, times sort in the order of time.

    Of two events of one time the one with the greater end of its message id counts as newer, so
    that the order of arrival never matters. API calls and imports have no message id.
    """
    time = at.astimezone(UTC).isoformat(timespec="microseconds")[:26]
    return f"{time.replace('-', '').replace(':', '')}Z {message_id[-LONGEST_TIE_BREAK:]}"


TIME_PICTURE = 'YYYYMMDD"T"HH24MISS.US"Z"'
ROW_TIME = f"to_char({{row}}.traits_at AT TIME ZONE 'UTC', '{TIME_PICTURE}')"
"""SQL: the time of a row as ``field_time`` writes it, for rows without ``field_times``."""


def trait_time(row: str, trait: str) -> str:
    """Return SQL for the time at which a trait of an account was stated."""
    times = f"{row}.field_times ->> ('traits.' || {trait}), {row}.field_times ->> '*'"
    row_time = f"{row}.field_times ->> '+', {ROW_TIME.format(row=row)}"
    return f"CAST(left(coalesce({times}, {row_time}), 23) AS timestamptz)"


def field_names(columns: Iterable[str], traits: Iterable[str]) -> list[str]:
    """Return the names of columns and traits as ``field_times`` has them."""
    return [*columns, *(TRAIT_PREFIX + name for name in traits)]


@dataclass(frozen=True, slots=True)
class AccountTraits:
    """The traits of a ``group`` call by their use. Traits that were not sent are left out.

    ``columns``: columns of the account. ``price``: terms of its subscription. A plan is in both.
    ``links``: parent and external ids. ``rest``: unknown traits, unchanged. ``invalid``: names of
    traits that cannot be parsed.
    """

    columns: Mapping[str, Any] = field(default_factory=dict)
    price: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, Any] = field(default_factory=dict)
    rest: Mapping[str, Any] = field(default_factory=dict)
    invalid: tuple[str, ...] = ()


def parse_text(value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()[:500]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError("must be a text that is not empty")


def parse_count(value: object) -> int:
    number = parse_amount(value)
    if number != int(number) or number > LARGEST_COUNT:
        raise ValueError(f"must be a whole number, at most {LARGEST_COUNT}")
    return int(number)


def is_ambiguous(value: object) -> bool:
    """Whether a text may be a number with decimals or one with thousands."""
    return isinstance(value, str) and AMBIGUOUS_DIGITS.fullmatch(value.strip()) is not None


def check_digits(value: object) -> None:
    """Raise ValueError for a text that Python reads as a number and people may read otherwise."""
    if not isinstance(value, str):
        return
    if is_ambiguous(value) or not value.strip().isascii():
        raise ValueError(AMBIGUOUS_NUMBER)
    if "_" in value:  # 1_5 would be 15
        raise ValueError("must be a number")


def parse_amount(value: object) -> Decimal:
    """Parse a number; commas may separate groups of three digits, so "12,5" is invalid.

    The texts "1.500" and "1,500" are ambiguous and therefore invalid; the number 1.5 is not.
    """
    if isinstance(value, bool):
        raise TypeError("must be a number")
    digits = str(value).strip()
    check_digits(value)
    try:
        number = Decimal(digits.replace(",", "") if GROUPED_DIGITS.fullmatch(digits) else digits)
    except InvalidOperation:
        raise ValueError("must be a number") from None
    if not number.is_finite() or not 0 <= number < LARGEST_MRR:
        raise ValueError(f"must be a number, zero or more and less than {LARGEST_MRR}")
    return number


def parse_time(text: str) -> datetime:
    """Parse ISO 8601, also with a space before the zone, or with UTC or GMT as the zone.

    Databases and data frames write "2015-05-20 21:34:02 UTC" and "2015-05-20 21:34:02 -0800".
    """
    text = text.strip()
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        match = TIME_WITH_ZONE.fullmatch(text)
        if match is None:
            raise
    zone = match["offset"] or ("+00:00" if match["utc"] else "")
    return datetime.fromisoformat(match["time"] + zone)


def parse_day(value: object) -> date:
    """Parse an ISO 8601 date, or the date of a date and time."""
    try:
        day = parse_time(str(value)).date()
    except ValueError:
        raise ValueError("must be a day in the form YYYY-MM-DD, such as 2026-02-01") from None
    if day < EARLIEST_DAY:
        raise ValueError(
            "must be a day from 1900-01-01 on: write the year with four digits, such as 2026"
        )
    return day


def parse_currency(value: object) -> str:
    code = parse_text(value).upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():  # noqa: PLR2004
        raise ValueError("must be a currency code of three letters")
    return code


def parse_cents(value: object) -> int:
    """Parse major units of a currency into integer cents, rounded half to even."""
    return int((parse_amount(value) * 100).to_integral_value())


def parse_number_id(value: object) -> str | None:
    """Return the digits of a number that is used as an id; None if they are not exact."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_EXACT_FLOAT:
        return str(int(value))
    return None


def trim_id(text: str) -> str:
    """Return an id without the spaces around it and without byte-order marks inside it."""
    return text.replace(BYTE_ORDER_MARK, "").strip()


def is_shortened(text: str) -> bool:
    """Whether an id is a number as a spreadsheet shortens it, such as 1.23457E+10.

    A UUID, a hex or a random id has no plus sign: 1e10 and 12e5 are ids.
    """
    return "+" in text and SHORTENED_NUMBER.fullmatch(text) is not None


def parse_id(value: object) -> str:
    text = parse_text(trim_id(value) if isinstance(value, str) else parse_number_id(value))
    if is_shortened(text):
        raise ValueError(SHORTENED_ID)
    too_long = len(text) > LONGEST_ID or len(text.encode()) > LONGEST_ID_BYTES
    if too_long or text.lower() in NOT_IDS:
        raise ValueError(
            f"must be an id of at most {LONGEST_ID} characters, no placeholder such as null"
        )
    return text


def parse_external_ids(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError('must be an object of ids by system, such as {"crm": "42"}')
    ids = {str(system): parse_id(each) for system, each in value.items() if each is not None}
    if not all(re.fullmatch(SYSTEM_PATTERN, system) for system in ids):
        raise ValueError(
            f"each key must be the name of a system that matches {SYSTEM_PATTERN}, such as crm"
        )
    return ids


Parsers = Mapping[str, Callable[[object], Any]]
ACCOUNT_COLUMNS: Parsers = {
    **dict.fromkeys(("name", "segment", "owner", "plan", "industry"), parse_text),
    **dict.fromkeys(("employees", "end_customers"), parse_count),
    "created_at": parse_day,
}
PRICE_TRAITS: Parsers = {
    "plan": parse_text,
    "mrr": parse_cents,
    "currency": parse_currency,
    "seats": parse_count,
    "renewal_date": parse_day,
    "billing_period": parse_billing_period,
}
LINK_TRAITS: Parsers = {"parent_id": parse_id, "external_ids": parse_external_ids}
COLUMN_NAMES = {
    "created_at": "started_on",
    "mrr": "mrr_cents",
    "renewal_date": "renewal_on",
    "billing_period": "billing_period_months",
}
"""Trait name to column name, where the two differ."""
STORED_TOO = frozenset({"billing_period"})
"""Terms that also stay a trait as it was sent: filters and measures may name it."""


def split_account_traits(traits: Mapping[str, Any]) -> AccountTraits:
    """Split the traits of a ``group`` call. Null traits are ignored."""
    columns: dict[str, Any] = {}
    price: dict[str, Any] = {}
    links: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    invalid: list[str] = []
    groups = ((columns, ACCOUNT_COLUMNS), (price, PRICE_TRAITS), (links, LINK_TRAITS))
    for sent_name, value in traits.items():
        name = SPELLINGS.get(sent_name, sent_name)
        targets = [(target, known[name]) for target, known in groups if name in known]
        if not targets or name in STORED_TOO:
            rest[sent_name] = value
        if value is not None:
            try:
                for target, parse in targets:
                    target[COLUMN_NAMES.get(name, name)] = parse(value)
            except (ValueError, TypeError):
                invalid.append(sent_name)
    return AccountTraits(columns, price, links, rest, tuple(invalid))
