"""All Chinese texts, with values in them, keep to the rules of docs/languages.md."""
# ruff: noqa: RUF001 - Chinese punctuation

import re

import pytest

from app.core.languages import Language
from app.interventions.playbooks.catalogue import shipped_playbooks
from tests.catalogues import texts
from tests.chinese import faults
from tests.test_catalogues import ALL

PHRASES = ("name", "phrase", "what", "why", "facts", "subject", "text")
"""Values that are Chinese themselves."""
PLAYBOOK_TEXTS = [
    text
    for playbook in shipped_playbooks().values()
    for own in [playbook.texts[Language.ZH]]
    for text in (
        *(own.name, own.next_step),
        *(part for each in own.messages.values() for part in (each.gets, each.step)),
    )
]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("健康分: 66", "half-width punctuation"),
        ("（按权重）（同类中位数 13）", "doubled brackets or marks"),
        ("有人 将分数设为 80", "a space between Chinese characters"),
        ("已有 3 天 。", "a space beside a mark"),
        ("28天内的事件数", "no space beside a number or a Latin word"),
        ("价格上涨 30 %", "a space before %"),
        ("流失风险为 high", "an untranslated level or a code"),
        ("您的 end_customers 用量", "an untranslated level or a code"),
    ],
)
def test_a_rule_finds_its_fault(text: str, rule: str) -> None:
    assert rule in faults(text)


@pytest.mark.parametrize("value", ["7", "甲"])
@pytest.mark.parametrize("catalogue", ALL)
def test_every_sentence_keeps_to_the_rules_with_numbers_and_with_names(
    catalogue: str, value: str
) -> None:
    found = [
        (text.message_id, shown, broken)
        for text in texts(catalogue, Language.ZH)
        for shown in [text.format(value, 7, **dict.fromkeys(PHRASES, "甲"))]
        if (broken := faults(shown))
    ]

    assert found == []


@pytest.mark.parametrize("text", PLAYBOOK_TEXTS)
def test_every_playbook_keeps_to_the_rules(text: str) -> None:
    assert faults(re.sub(r"{{ \w+ }}", "7", text)) == []


@pytest.mark.parametrize("playbook", shipped_playbooks())
def test_both_languages_of_a_playbook_use_the_same_placeholders(playbook: str) -> None:
    english, chinese = (
        {
            (signal, part): set(re.findall(r"{{ (\w+) }}", getattr(message, part)))
            for signal, message in shipped_playbooks()[playbook].texts[language].messages.items()
            for part in ("gets", "step")
        }
        for language in (Language.EN, Language.ZH)
    )

    assert {key: names - {"account"} for key, names in chinese.items()} == {
        key: names - {"account"} for key, names in english.items()
    }
