import re
from datetime import date

import pytest

from app.core.languages import Language
from app.signals.detect import SIGNALS
from app.signals.sentences import CHINESE, ENGLISH, PLACEHOLDER, TEMPLATES, signal_sentence
from app.signals.signal import Severity, make_signal

SINCE = date(2026, 3, 1)


@pytest.mark.parametrize("language", Language)
def test_every_signal_has_words_in_every_language(language: Language) -> None:
    assert list(TEMPLATES[language]) == list(SIGNALS)


@pytest.mark.parametrize("name", SIGNALS)
def test_both_languages_tell_the_same(name: str) -> None:
    english, chinese = ([set(PLACEHOLDER.findall(t)) for t in w[name]] for w in (ENGLISH, CHINESE))

    assert english == chinese


@pytest.mark.parametrize("name", SIGNALS)
def test_a_sentence_is_one(name: str) -> None:
    assert all(re.fullmatch(r"[^.!?]+\.", template) for template in ENGLISH[name])
    assert all(re.fullmatch(r"[^。！？]+。", template) for template in CHINESE[name])


def test_money_shares_and_large_numbers_are_told_as_people_write_them() -> None:
    risen = make_signal(
        "price_rise",
        Severity.HIGH,
        SINCE,
        before_cents=1_000_00,
        after_cents=1_299_50,
        currency="USD",
        change_share=0.2995,
    )

    assert (
        signal_sentence(risen, Language.EN) == "The price rose by 30 %, from 1,000 to 1,299.50 USD."
    )
    assert signal_sentence(risen, Language.ZH) == "价格上涨 30 %，从每月 1,000 到 1,299.50 USD。"


def test_the_sentence_fits_what_is_known() -> None:
    gone = make_signal("churned", Severity.HIGH, SINCE, paid_until=SINCE)
    why = make_signal("churned", Severity.HIGH, SINCE, paid_until=SINCE, end_reason="no budget")

    assert signal_sentence(gone, Language.EN) == "Nothing has been paid since 2026-03-01."
    assert signal_sentence(why, Language.EN).endswith("the reason given is no budget.")
