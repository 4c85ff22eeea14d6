from datetime import date

import pytest

from app.core.languages import Language, format_day, preferred_language

EN, ZH = Language.EN, Language.ZH


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", EN),
        ("zh", ZH),
        ("zh-Hans-CN;q=0.9, en;q=0.8", ZH),
        ("en;q=0.5, zh", ZH),
        ("de, fr;q=0.9", EN),
        ("zh;q=0", EN),
        ("enm, zh;q=0.1", ZH),
        ("zh;q=often, ;;, *", EN),
    ],
)
def test_the_preferred_language_is_used(header: str, language: Language) -> None:
    assert preferred_language(header) is language


def test_a_day_has_the_name_of_its_month() -> None:
    assert format_day(date(2026, 5, 1), EN) == "1 May 2026"
    assert format_day(date(2026, 5, 1), ZH) == "2026年5月1日"
