"""The lines of the printed review."""

from datetime import date

from app.reports.review.page import measure_lines


def test_a_line_runs_from_the_first_day_to_the_last_and_from_the_highest_to_the_lowest() -> None:
    days = {1: 10.0, 3: 30.0, 5: 20.0}
    value = [
        {
            "day": date(2026, 3, day),
            "measures": [{"measure": "reach", "raw": 1, "per_dollar": level}],
        }
        for day, level in days.items()
    ]

    [line] = measure_lines(value)

    assert line.points == "0.0,60.0 160.0,0.0 320.0,30.0"
    assert (line.low, line.high, line.last, line.per_dollar) == (10, 30, 20, True)


def test_a_single_day_makes_no_line() -> None:
    level = {"measure": "reach", "raw": 5, "per_dollar": None}

    assert measure_lines([{"day": None, "measures": [level]}]) == []
