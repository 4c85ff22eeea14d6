"""Format numbers for sentences, the same way in every language. Pure."""

import math
from collections.abc import Sequence
from typing import TypeGuard

from app.core.arrays import Floats, np

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
    scaled = np.array([values], dtype=np.float64) * scale
    [rounded] = round_rows_to_totals(scaled, np.rint([total * scale])) / scale
    return [float(each) for each in rounded]


def round_rows_to_totals(table: Floats, totals: Floats) -> Floats:
    """Round each row to whole numbers that add up to its total, by the largest remainders.

    table: (n, m). totals: (n,), whole numbers.
    """
    floors = np.floor(table)
    for_each, left = np.divmod(totals - floors.sum(axis=1), max(table.shape[1], 1))
    order = np.argsort(floors - table, axis=1, kind="stable")
    ranks = np.argsort(order, axis=1, kind="stable")
    rounded: Floats = floors + for_each[:, np.newaxis] + (ranks < left[:, np.newaxis])
    return rounded


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
