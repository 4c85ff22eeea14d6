from datetime import date

import pytest

from app.core.languages import Language, close_gaps, format_day, preferred_language

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
        ("zh-CN,zh;q=0.9,en-GB;q=0.8,en;q=0.7,*;q=0.5", ZH),
        ("en-GB,en;q=0.9,zh-CN;q=0.8", EN),
        ("zh_CN", ZH),
        ("ZH-HANT-TW ; Q=0.2 , EN ; Q=0.1", ZH),
        ("zha, zh2;q=0.9, en;q=0.1", EN),
    ],
)
def test_the_preferred_language_is_used(header: str, language: Language) -> None:
    assert preferred_language(header) is language


@pytest.mark.parametrize(
    "tag", ["zh", "ZH", "zh-CN", "zh_CN", "zh-Hans", "zh-hans-cn", "zh_CN.UTF-8"]
)
def test_a_tag_means_its_language(tag: str) -> None:
    assert Language(tag) is ZH


@pytest.mark.parametrize("tag", ["", "zho", "z", "-zh", "zh CN", "zh;q=1", "中文", "de-CH", "\nzh"])
def test_a_tag_of_another_language_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Language"):
        Language(tag)


def test_a_day_has_the_name_of_its_month() -> None:
    assert format_day(date(2026, 5, 1), EN) == "1 May 2026"
    assert format_day(date(2026, 5, 1), ZH) == "2026年5月1日"


def test_a_chinese_value_stands_in_chinese_text_without_spaces() -> None:
    assert close_gaps("套餐从 专业版 变为 Pro。", ZH) == "套餐从专业版变为 Pro。"
    assert close_gaps("from 专业版 变 to", EN) == "from 专业版 变 to"
