"""Read single fields of an event; what is of the wrong kind is named by its place."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from app.billing.billing_events import MalformedEventError

LAST_SECOND = 253_402_300_799
LARGEST_NUMBER = 10**18
LONGEST_TEXT = 500
SMALLEST_EXPONENT = -20
EMPTY: Mapping[str, Any] = {}


def without_nul(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Take out NUL, which PostgreSQL cannot hold."""
    match value:
        case str():
            return value.replace("\x00", "")
        case dict():
            return {without_nul(name): without_nul(child) for name, child in value.items()}
        case list():
            return [without_nul(child) for child in value]
    return value


def pick(said: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: said[name] for name in names if said.get(name) is not None}


def get_object(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = said.get(name)
    return value if isinstance(value, dict) else EMPTY


def get_objects(said: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Read a list, or Stripe's object of a list, of objects."""
    value = said.get(name)
    if isinstance(value, dict):
        value = value.get("data")
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def get_text(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    return value[:LONGEST_TEXT] if isinstance(value, str) and value.strip() else None


def require_text(said: Mapping[str, Any], name: str) -> str:
    value = get_text(said, name)
    if value is None:
        raise MalformedEventError(name, f"{name} is wanted: a text.")
    return value


def get_reference(said: Mapping[str, Any], name: str) -> str | None:
    """Read the id of another object, which may be given in whole."""
    value = said.get(name)
    return get_text(value, "id") if isinstance(value, dict) else get_text(said, name)


def get_count(said: Mapping[str, Any], name: str, default: int = 0) -> int:
    value = said.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_NUMBER:
        raise MalformedEventError(name, f"{name} must be a whole number, zero or more.")
    return value


def get_number(said: Mapping[str, Any], name: str) -> Fraction | None:
    """Read a number or a decimal text, exactly."""
    value = said.get(name)
    if value is None:
        return None
    try:
        read = Decimal(str(value)) if not isinstance(value, bool) else Decimal("nan")
    except InvalidOperation:
        read = Decimal("nan")
    if (
        not read.is_finite()
        or abs(read) > LARGEST_NUMBER
        or int(read.as_tuple().exponent) < SMALLEST_EXPONENT
    ):
        raise MalformedEventError(name, f"{name} must be a number.")
    return Fraction(read)


def get_amount(said: Mapping[str, Any], name: str) -> Fraction | None:
    """Read an amount; the decimal beside it is the exact one."""
    exact = get_number(said, f"{name}_decimal")
    return get_number(said, name) if exact is None else exact


def get_instant(said: Mapping[str, Any], name: str) -> datetime | None:
    value = said.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LAST_SECOND:
        raise MalformedEventError(name, f"{name} must be seconds since 1970.")
    return datetime.fromtimestamp(value, UTC)


def get_day(said: Mapping[str, Any], name: str) -> date | None:
    at = get_instant(said, name)
    return at.date() if at else None
