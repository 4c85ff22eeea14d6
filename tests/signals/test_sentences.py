import re
from datetime import date

import pytest

from app.core.languages import Language
from app.signals.detect import SIGNALS
from app.signals.sentences import signal_sentence
from app.signals.signal import Severity, make_signal
from tests.catalogues import messages, texts

SINCE = date(2026, 3, 1)


@pytest.mark.parametrize("language", Language)
def test_every_signal_has_a_sentence_in_every_language(language: Language) -> None:
    assert list(messages("signals/sentences", language))[: len(SIGNALS)] == list(SIGNALS)


@pytest.mark.parametrize(
    ("language", "pattern"), [(Language.EN, r"[^.!?]+\."), (Language.ZH, r"[^。！？]+。")]
)
def test_a_text_is_one_sentence(language: Language, pattern: str) -> None:
    for text in texts("signals/sentences", language):
        if text.message_id in SIGNALS:
            assert re.fullmatch(pattern, text.format("x", 1)), text
            assert re.fullmatch(pattern, text.format("x", 2)), text


def test_a_count_of_one_is_singular() -> None:
    surge = make_signal("ticket_surge", Severity.LOW, SINCE, tickets=1, days=7, usual=0.25)
    idle = make_signal("seats_idle", Severity.LOW, SINCE, seats=10, idle=1)

    assert signal_sentence(surge, Language.EN) == "1 ticket was opened in 7 days; 0.2 are usual."
    assert signal_sentence(idle, Language.EN) == "1 of 10 seats is idle."


def test_money_shares_and_large_numbers_are_formatted_for_reading() -> None:
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


def test_the_sentence_depends_on_the_evidence() -> None:
    without_reason = make_signal("churned", Severity.HIGH, SINCE, paid_until=SINCE)
    with_reason = make_signal(
        "churned", Severity.HIGH, SINCE, paid_until=SINCE, end_reason="no budget"
    )

    assert signal_sentence(without_reason, Language.EN) == "Nothing has been paid since 2026-03-01."
    assert signal_sentence(with_reason, Language.EN).endswith("the reason given is no budget.")
