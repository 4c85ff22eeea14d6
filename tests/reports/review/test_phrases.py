"""Every language says the same things."""

from datetime import date
from string import Formatter

from app.core.languages import Language
from app.reports.review.page import measure_lines
from app.reports.review.phrases import PHRASES


def test_each_language_has_every_word_with_its_places() -> None:
    english = PHRASES[Language.EN]

    for words in PHRASES.values():
        assert words.keys() == english.keys()
        assert {key: places(said) for key, said in words.items()} == {
            key: places(said) for key, said in english.items()
        }


def places(said: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(said) if name}


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


def test_one_day_makes_no_line() -> None:
    level = {"measure": "reach", "raw": 5, "per_dollar": None}

    assert measure_lines([{"day": None, "measures": [level]}]) == []
