"""Get single fields of a Stripe object; a field of the wrong type is named in the error."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from app.billing.billing_events import MalformedEventError

StripeObject = Mapping[str, Any]

LAST_SECOND = 253_402_300_799
LARGEST_NUMBER = 10**18
LONGEST_TEXT = 500
SMALLEST_EXPONENT = -20
EMPTY: StripeObject = {}


def without_nul(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Remove NUL characters, which PostgreSQL cannot store."""
    match value:
        case str():
            return value.replace("\x00", "")
        case dict():
            return {without_nul(name): without_nul(child) for name, child in value.items()}
        case list():
            return [without_nul(child) for child in value]
    return value


def pick(data: StripeObject, names: Iterable[str]) -> dict[str, Any]:
    """Return the given fields, without those that are null or missing."""
    return {name: data[name] for name in names if data.get(name) is not None}


def get_object(data: StripeObject, name: str) -> StripeObject:
    """Return a nested object; an empty one if it is missing or not an object."""
    value = data.get(name)
    return value if isinstance(value, dict) else EMPTY


def get_objects(data: StripeObject, name: str) -> list[StripeObject]:
    """Return the objects of a list, or of Stripe's list object (``{"data": […]}``)."""
    value = data.get(name)
    if isinstance(value, dict):
        value = value.get("data")
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def get_text(data: StripeObject, name: str) -> str | None:
    value = data.get(name)
    return value[:LONGEST_TEXT] if isinstance(value, str) and value.strip() else None


def require_text(data: StripeObject, name: str) -> str:
    value = get_text(data, name)
    if value is None:
        raise MalformedEventError(name, f"{name} must be a text that is not empty.")
    return value


def get_reference(data: StripeObject, name: str) -> str | None:
    """Return the id of another object, which may be sent as an id or as the whole object."""
    value = data.get(name)
    return get_text(value, "id") if isinstance(value, dict) else get_text(data, name)


def get_count(data: StripeObject, name: str, default: int = 0) -> int:
    count = _get_integer(data, name, LARGEST_NUMBER, "a whole number, zero or more")
    return default if count is None else count


def _get_integer(data: StripeObject, name: str, largest: int, expected: str) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
        raise MalformedEventError(name, f"{name} must be {expected}.")
    return value


def get_number(data: StripeObject, name: str) -> Fraction | None:
    """Return a number or a decimal text, exactly."""
    value = data.get(name)
    if value is None:
        return None
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("nan")
    except InvalidOperation:
        number = Decimal("nan")
    if (
        not number.is_finite()
        or abs(number) > LARGEST_NUMBER
        or int(number.as_tuple().exponent) < SMALLEST_EXPONENT
    ):
        raise MalformedEventError(
            name,
            f"{name} must be a number of at most {LARGEST_NUMBER:g}, with at most"
            f" {-SMALLEST_EXPONENT} decimals.",
        )
    return Fraction(number)


def get_amount(data: StripeObject, name: str) -> Fraction | None:
    """Return an amount, exactly: from the field ``<name>_decimal`` if it was sent."""
    exact = get_number(data, f"{name}_decimal")
    return get_number(data, name) if exact is None else exact


def get_instant(data: StripeObject, name: str) -> datetime | None:
    seconds = _get_integer(data, name, LAST_SECOND, "seconds since 1970")
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def require_instant(data: StripeObject, name: str) -> datetime:
    at = get_instant(data, name)
    if at is None:
        raise MalformedEventError(name, f"{name} must be seconds since 1970.")
    return at


def get_day(data: StripeObject, name: str) -> date | None:
    at = get_instant(data, name)
    return at.date() if at else None
