"""Numbers as people write them, the same in every language. Pure."""

import math

UNKNOWN, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
MIN_ONE_DECIMAL = 0.05
MAX_DECIMALS = 4


def format_signed(points: float) -> str:
    """One decimal with a sign, a real minus; what is too small for that keeps its first digit."""
    size = abs(points)
    first = float(f"{max(size, 10**-MAX_DECIMALS):.1g}")
    text = f"{size:,.1f}" if size >= MIN_ONE_DECIMAL else f"{first:.{MAX_DECIMALS}f}".rstrip("0")
    return f"{MINUS if points < 0 else '+'}{text}"


def format_number(value: float | None, digits: int = 1) -> str:
    """Whole numbers without decimals, thousands apart, a real minus."""
    if value is None or math.isnan(value):
        return UNKNOWN
    places = 0 if value == round(value) else digits
    text = f"{abs(value):,.{places}f}"
    return f"{MINUS}{text}" if value < 0 else text


def format_pair(one: float | None, other: float | None) -> tuple[str, str]:
    """Show two numbers with as many digits as it takes to tell them apart."""
    for digits in range(1, MAX_DECIMALS + 1):
        shown = format_number(one, digits), format_number(other, digits)
        if shown[0] != shown[1] or one == other:
            break
    return shown


def format_money(cents: float | None) -> str:
    """Cents as units of the currency, with decimals only where there are any."""
    return format_number(None if cents is None else round(cents / 100, 2), 2)


def is_known(value: float | None) -> bool:
    return value is not None and not math.isnan(value)
