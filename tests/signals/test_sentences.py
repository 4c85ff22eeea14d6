import re
from datetime import date
from typing import Any

import pytest

from app.core.languages import Language
from app.signals.detect import SIGNALS
from app.signals.sentences import signal_sentence
from app.signals.signal import EvidenceNames, Severity, make_signal
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


@pytest.mark.parametrize(
    ("metric", "currency", "numbers", "english", "chinese"),
    [
        ("events", None, (6400.0, 6000), "6,400 events|6,000 events", "6,400 次事件|6,000 次事件"),
        ("events", None, (1, 1), "1 event|1 event", "1 次事件|1 次事件"),
        (
            "active_users",
            None,
            (12, 1),
            "12 active users|1 active user",
            "12 名活跃用户|1 名活跃用户",
        ),
        ("active_days", None, (20, 1), "20 active days|1 active day", "20 个活跃日|1 个活跃日"),
        (
            "reach",
            None,
            (1.5, 1),
            "1.5 end customers|1 end customer",
            "1.5 位终端客户|1 位终端客户",
        ),
        ("mrr", "EUR", (500, 400), "500 EUR a month|400 EUR a month", "每月 500 EUR|每月 400 EUR"),
        ("mrr", None, (500, 400), "500|400", "500|400"),
        ("trait", None, (3, 2), "3|2", "3|2"),
        (None, None, (3, 2), "3|2", "3|2"),
    ],
)
def test_numbers_of_goals_and_tiers_have_their_unit(
    metric: str | None,
    currency: str | None,
    numbers: tuple[float, float],
    english: str,
    chinese: str,
) -> None:
    value, target = numbers
    unit: dict[str, Any] = {"metric": metric, "currency": currency}
    goal = make_signal(
        "goal_achieved", Severity.INFO, SINCE, goal="G", value=value, target=target, **unit
    )
    tier = make_signal("tier_near", Severity.INFO, SINCE, tier="T", missing=value, **unit)

    first, second = english.split("|")
    assert (
        signal_sentence(goal, Language.EN)
        == f'The goal "G" is reached: {first}, and the target was {second}.'
    )
    assert signal_sentence(tier, Language.EN) == f'The account is {first} short of the tier "T".'
    first, second = chinese.split("|")
    space = "" if first.startswith("每") else " "
    assert (
        signal_sentence(goal, Language.ZH)
        == f"目标“G”已达成：实际值为{space}{first}，目标值为{space}{second}。"
    )
    assert signal_sentence(tier, Language.ZH) == f"距“T”等级还差{space}{first}。"


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
        signal_sentence(risen, Language.EN)
        == "The price rose by 30 %, from 1,000 to 1,299.50 USD a month."
    )
    assert (
        signal_sentence(risen, Language.ZH)
        == "价格上涨 30%，从每月 1,000 USD 涨到每月 1,299.50 USD。"
    )


def test_the_sentence_depends_on_the_evidence() -> None:
    without_reason = make_signal("churned", Severity.HIGH, SINCE, paid_until=SINCE)
    with_reason = make_signal(
        "churned", Severity.HIGH, SINCE, paid_until=SINCE, end_reason="no budget"
    )

    assert signal_sentence(without_reason, Language.EN) == "Nothing has been paid since 2026-03-01."
    assert signal_sentence(with_reason, Language.EN).endswith('the reason given is "no budget".')


@pytest.mark.parametrize(
    ("code", "english", "chinese"),
    [
        ("account_deleted", "the account was deleted", "客户账号已删除"),
        (
            "customer_deleted",
            "the customer was deleted in the billing system",
            "客户已在计费系统中删除",
        ),
        ("too_expensive", "too expensive", "价格过高"),
        ("cancellation_requested", "the customer cancelled", "客户主动取消"),
        ("no budget", "no budget", "no budget"),
    ],
)
def test_known_codes_of_reasons_are_words(code: str, english: str, chinese: str) -> None:
    ended = make_signal("churned", Severity.HIGH, SINCE, paid_until=SINCE, end_reason=code)

    assert f'is "{english}".' in signal_sentence(ended, Language.EN)
    assert f"原因是“{chinese}”。" in signal_sentence(ended, Language.ZH)


@pytest.mark.parametrize(
    ("name", "evidence", "english", "chinese"),
    [
        (
            *("champion_inactive", {"user_id": "u-81", "days": 21, "event_share": 0.41}),
            "The champion, Ada Li, has not used the product for 21 days; 41 % of all use was",
            "关键用户 Ada Li 已有 21 天未使用产品，此前其使用量占全部使用量的 41%。",
        ),
        (
            *("champion_inactive", {"user_id": "u-82", "days": 1, "event_share": 0.41}),
            "The champion has not used the product for 1 day; 41 % of all use was theirs.",
            "关键用户已有 1 天未使用产品，此前其使用量占全部使用量的 41%。",
        ),
        (
            *("paid_feature_unused", {"feature": "bulk", "days": 70, "price_share": 0.2}),
            '"Bulk import" is paid for and has not been used for 70 days; it stands for 20 %',
            "已付费的“Bulk import”已有 70 天无人使用，占价格的 20%。",
        ),
        (
            *("over_limit", {"limit_name": "end_customers", "limit": 100, "used": 130}),
            "End customers: 130, where the plan allows 100.",
            "终端客户数：实际为 130，套餐上限为 100。",
        ),
        (
            *("over_limit", {"limit_name": "bulk", "limit": 100, "used": 130}),
            'Events of "Bulk import": 130, where the plan allows 100.',
            "“Bulk import”的事件数：实际为 130，套餐上限为 100。",
        ),
        (
            *("milestone", {"years": 1}),
            "The contract has completed 1 year.",
            "合同已满 1 周年。",
        ),
        (
            *("milestone", {"years": 3}),
            "The contract has completed 3 years.",
            "合同已满 3 周年。",
        ),
    ],
)
def test_sentences_show_names_and_no_ids_or_codes(
    name: str, evidence: dict[str, Any], english: str, chinese: str
) -> None:
    names = EvidenceNames({"bulk": "Bulk import"}, {"u-81": "Ada Li"})
    signal = make_signal(name, Severity.LOW, SINCE, **evidence)

    assert signal_sentence(signal, Language.EN, names).startswith(english)
    assert signal_sentence(signal, Language.ZH, names) == chinese
