"""Traits on the wire to columns: the known ones become columns, the rest stays as it is."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

LARGEST_MRR = Decimal(10) ** 12
LARGEST_COUNT = 2**53
GROUPED_DIGITS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")

SPELLINGS = {
    "createdAt": "created_at",
    "renewalDate": "renewal_date",
    "endCustomers": "end_customers",
    "company_name": "name",
    "parentId": "parent_id",
    "externalIds": "external_ids",
}

SYSTEM_PATTERN = r"^[a-z][a-z0-9_-]{0,63}$"
"""What another system is called."""
LONGEST_ID, LONGEST_ID_BYTES = 255, 765
NOT_IDS = frozenset(
    {
        *("", "null", "undefined", "none", "nan", "0", "true", "false", "anonymous", "guest"),
        *("[object object]", "00000000-0000-0000-0000-000000000000"),
    }
)
"""What broken code sends where an id should be."""


@dataclass(frozen=True, slots=True)
class AccountTraits:
    """What a ``group`` call says of an account. ``columns`` and ``price`` hold only what was said.

    A plan is in both: it is the account's, and a term of what it pays.
    """

    columns: Mapping[str, Any] = field(default_factory=dict)
    price: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, Any] = field(default_factory=dict)
    rest: Mapping[str, Any] = field(default_factory=dict)
    invalid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserTraits:
    columns: Mapping[str, Any] = field(default_factory=dict)
    rest: Mapping[str, Any] = field(default_factory=dict)


def parse_text(value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()[:500]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError("a text is wanted")


def parse_count(value: object) -> int:
    number = parse_amount(value)
    if number != int(number) or number > LARGEST_COUNT:
        raise ValueError("a whole number is wanted")
    return int(number)


def parse_amount(value: object) -> Decimal:
    """Read a number, also with commas between groups of three digits; "12,5" is none."""
    if isinstance(value, bool):
        raise TypeError("a number is wanted")
    digits = str(value).strip()
    try:
        number = Decimal(digits.replace(",", "") if GROUPED_DIGITS.fullmatch(digits) else digits)
    except InvalidOperation:
        raise ValueError("a number is wanted") from None
    if not number.is_finite() or not 0 <= number < LARGEST_MRR:
        raise ValueError("a finite number, zero or more, is wanted")
    return number


def parse_day(value: object) -> date:
    """Read an ISO 8601 date, also at the head of a date and time."""
    return datetime.fromisoformat(str(value).strip()).date()


def parse_currency(value: object) -> str:
    code = parse_text(value).upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():  # noqa: PLR2004
        raise ValueError("a currency code of three letters is wanted")
    return code


def parse_cents(value: object) -> int:
    """Major units of a currency to integer cents, half to even."""
    return int((parse_amount(value) * 100).to_integral_value())


def parse_id(value: object) -> str:
    found = parse_text(value)
    too_long = len(found) > LONGEST_ID or len(found.encode()) > LONGEST_ID_BYTES
    if too_long or found.lower() in NOT_IDS:
        raise ValueError("an id is wanted")
    return found


def parse_external_ids(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError("ids by system are wanted")
    found = {str(system): parse_id(each) for system, each in value.items() if each is not None}
    if not all(re.fullmatch(SYSTEM_PATTERN, system) for system in found):
        raise ValueError("a system is named in small letters")
    return found


ACCOUNT_COLUMNS: Mapping[str, tuple[str, Callable[[object], Any]]] = {
    "name": ("name", parse_text),
    "segment": ("segment", parse_text),
    "owner": ("owner", parse_text),
    "plan": ("plan", parse_text),
    "industry": ("industry", parse_text),
    "employees": ("employees", parse_count),
    "end_customers": ("end_customers", parse_count),
    "created_at": ("started_on", parse_day),
}
PRICE_TRAITS: Mapping[str, tuple[str, Callable[[object], Any]]] = {
    "plan": ("plan", parse_text),
    "mrr": ("mrr_cents", parse_cents),
    "currency": ("currency", parse_currency),
    "seats": ("seats", parse_count),
    "renewal_date": ("renewal_on", parse_day),
}
LINK_TRAITS: Mapping[str, tuple[str, Callable[[object], Any]]] = {
    "parent_id": ("parent_id", parse_id),
    "external_ids": ("external_ids", parse_external_ids),
}


def split_account_traits(traits: Mapping[str, Any]) -> AccountTraits:
    """Split the traits of a ``group`` call. What cannot be read is named in ``invalid``."""
    columns: dict[str, Any] = {}
    price: dict[str, Any] = {}
    links: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    invalid: list[str] = []
    kinds = ((columns, ACCOUNT_COLUMNS), (price, PRICE_TRAITS), (links, LINK_TRAITS))
    for wire_name, value in traits.items():
        name = SPELLINGS.get(wire_name, wire_name)
        targets = [(target, known[name]) for target, known in kinds if name in known]
        if not targets:
            rest[wire_name] = value
        elif value is not None:
            try:
                for target, (column, read) in targets:
                    target[column] = read(value)
            except (ValueError, TypeError):
                invalid.append(wire_name)
    return AccountTraits(columns, price, links, rest, tuple(invalid))


def split_user_traits(traits: Mapping[str, Any]) -> UserTraits:
    """Split the traits of an ``identify`` call."""
    rest = dict(traits)
    columns: dict[str, Any] = {}
    for name in ("email", "name", "role"):
        value = rest.pop(name, None)
        if isinstance(value, str) and value:
            columns[name] = value[:500]
    if "name" not in columns and isinstance(rest.get("firstName"), str):
        columns["name"] = f"{rest['firstName']} {rest.get('lastName') or ''}".strip()[:500]
    return UserTraits(columns, rest)


def is_internal(email: str | None, internal_domains: Collection[str]) -> bool:
    """Whether a person belongs to the vendor itself, by the domain of the e-mail address."""
    _, at, domain = (email or "").rpartition("@")
    return bool(at) and domain.lower() in internal_domains
