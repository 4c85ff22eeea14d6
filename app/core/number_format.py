"""Format numbers for sentences, the same way in every language. Pure."""

import math
from collections.abc import Sequence
from typing import TypeGuard

UNKNOWN, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
MIN_ONE_DECIMAL = 0.05
MAX_DECIMALS = 4


def format_signed(points: float) -> str:
    """Format points with a sign and one decimal; below 0.05 with the first nonzero digit."""
    size = abs(points)
    first = float(f"{max(size, 10**-MAX_DECIMALS):.1g}")
    text = f"{size:,.1f}" if size >= MIN_ONE_DECIMAL else f"{first:.{MAX_DECIMALS}f}".rstrip("0")
    return f"{MINUS if points < 0 else '+'}{text}"


def round_to_sum(values: Sequence[float], total: float, digits: int) -> list[float]:
    """Round numbers so that they add up to a rounded total, by the largest remainders."""
    scale = 10**digits
    floors = [math.floor(value * scale) for value in values]
    remainders = [value * scale - floor for value, floor in zip(values, floors, strict=True)]
    by_remainder = sorted(range(len(values)), key=lambda n: -remainders[n])
    for_each, left = divmod(round(total * scale) - sum(floors), max(len(values), 1))
    for n in by_remainder[:left]:
        floors[n] += 1
    return [(floor + for_each) / scale for floor in floors]


def format_number(value: float | None, digits: int = 1) -> str:
    """Format a number: no decimals if it is whole, thousands separators, a real minus sign."""
    if value is None or math.isnan(value):
        return UNKNOWN
    places = 0 if value == round(value) else digits
    text = f"{abs(value):,.{places}f}"
    return f"{MINUS}{text}" if value < 0 else text


def format_pair(first: float | None, second: float | None) -> tuple[str, str]:
    """Format two numbers with as many decimals as it takes to show that they differ."""
    for digits in range(1, MAX_DECIMALS + 1):
        pair = format_number(first, digits), format_number(second, digits)
        if pair[0] != pair[1] or first == second:
            break
    return pair


def format_money(cents: float | None) -> str:
    """Format cents in units of the currency, with decimals only if there are any."""
    return format_number(None if cents is None else round(cents / 100, 2), 2)


def is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and not math.isnan(value)
