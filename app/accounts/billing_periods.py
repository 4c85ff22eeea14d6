"""Parse how often a customer is billed, as programs and people write it. Pure."""

import re

from app.core.months import LONGEST_TERM_MONTHS, MONTHS_PER_YEAR

NAMED_PERIODS = {
    **dict.fromkeys(("month", "monthly"), 1),
    **dict.fromkeys(("quarter", "quarterly"), 3),
    **dict.fromkeys(("semiannual", "semiannually", "halfyear", "halfyearly"), 6),
    **dict.fromkeys(("year", "yearly", "annual", "annually"), MONTHS_PER_YEAR),
}
COUNTED_PERIODS = re.compile(r"p?([0-9]{1,3})(m|month|months|y|year|years)?")
"""Such as 12, "6 months", "12-month", "2 years" and P1Y."""
SEPARATOR = re.compile(r"(?<=[a-z0-9])[ _-](?=[a-z])")


def parse_billing_period(value: object) -> int:
    """Return the months of a billing period. A word of two meanings, such as biannual, is refused.

    Raises ValueError.
    """
    text = f"{value:g}" if isinstance(value, float) else str(value)
    text = SEPARATOR.sub("", text.strip().lower())
    months = NAMED_PERIODS.get(text)
    if match := COUNTED_PERIODS.fullmatch(text):
        is_years = (match[2] or "").startswith("y")
        months = int(match[1]) * (MONTHS_PER_YEAR if is_years else 1)
    if months is None or not 1 <= months <= LONGEST_TERM_MONTHS:
        raise ValueError(
            "must be monthly, quarterly, semiannual, annual or a number of months from 1 to"
            f" {LONGEST_TERM_MONTHS}"
        )
    return months
