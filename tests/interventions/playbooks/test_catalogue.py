"""The seventeen shipped playbooks: completeness, documentation, and the tone of their texts."""

import re
from itertools import chain
from pathlib import Path

import pytest

from app.core.languages import Language
from app.interventions.playbooks.catalogue import shipped_playbooks
from app.interventions.playbooks.definition import PlaybookMessage
from app.interventions.playbooks.template_fields import ACCOUNT_FIELDS, SIGNAL_FIELDS
from tests.test_docs import ROOT, rows

PAGE = (Path(ROOT) / "docs" / "playbooks.md").read_text()
EN, ZH = Language.EN, Language.ZH

MESSAGES: dict[str, PlaybookMessage] = {
    f"{key}/{language}/{signal}": message
    for key, playbook in shipped_playbooks().items()
    for language, texts in playbook.texts.items()
    for signal, message in texts.messages.items()
}

FAKE_OR_GUILT = re.compile(
    r"miss(ed|ing)? you|long time no see|haven.t (heard|seen)|where have you been|we noticed"
    r"|sad to|sorry to see|still interested|last chance|hurry|act now|don.t miss|checking in"
    r"|touching base|dear friend|love you|we care|valued customer|forgotten|disappoint"
    r"|想念|好久不见|很久没见|还记得我们|最后机会|别错过|赶快|抓紧|亲爱的|遗憾|伤心|忘了我们|失望",
    re.IGNORECASE,
)
DISCOUNT = re.compile(
    r"discount|% off|coupon|voucher|free month|promo|折扣|优惠|打折|免费送|代金", re.IGNORECASE
)
GETS = {
    EN: re.compile(r"\byour?\b|{{ account }}", re.IGNORECASE),
    ZH: re.compile("您|{{ account }}"),
}
STEP = {
    EN: re.compile(r"^(Reply|Open|Pick|Choose|Answer)\b"),
    ZH: re.compile("^(请|如)"),
}
PROMISE = re.compile(
    r"you get\b|named (person|contact)|direct number|in one click|in one go|is kept|still works"
    r"|consultant|one page|credit|minutes without|goes on|switched on|the smaller one|give seats"
    r"|a person of ours|within two days|seat (at|in)|monthly meeting|training|is ready"
    r"|您会得到|您会有|固定的同事|专属|直接拨打|一键|一次性导入|仍然保留|都在|顾问|培训|补偿|照常进行"
    r"|更小的那个|退回席位|两天内|交流会|已为.*开通|做好了一份报告",
    re.IGNORECASE,
)
APOLOGY = {EN: re.compile("apologise"), ZH: re.compile("道歉")}
SYMPATHY = re.compile(
    "sorry to see|understand your decision|all the best|尊重您的|祝您", re.IGNORECASE
)


def sentences(text: str) -> int:
    return len(re.findall(r"[.。!！?？](?=\s|$|[^\d\s])", text + " "))


def language_of(name: str) -> Language:
    return Language(name.split("/")[1])


def test_seventeen_playbooks_are_shipped_in_every_language() -> None:
    assert len(shipped_playbooks()) == 17
    assert all(set(playbook.texts) == set(Language) for playbook in shipped_playbooks().values())


def test_both_languages_have_messages_for_the_same_signals() -> None:
    for playbook in shipped_playbooks().values():
        assert set(playbook.texts[EN].messages) == set(playbook.texts[ZH].messages)


def test_every_signal_is_answered_by_a_playbook() -> None:
    answered = chain.from_iterable((*p.signals, *p.also) for p in shipped_playbooks().values())

    assert set(answered) == set(SIGNAL_FIELDS)


def test_every_playbook_is_documented_with_its_signals() -> None:
    documented = rows(PAGE, "The catalogue")

    assert list(documented) == list(shipped_playbooks())
    for key, playbook in shipped_playbooks().items():
        cells = documented[key]
        assert re.findall(r"`(\w+)`", cells[1]) == [*playbook.signals, *playbook.also]
        assert cells[2:] == [
            ", ".join(playbook.audience.lifecycle),
            playbook.channel,
            f"{playbook.cooldown_days}",
            f"{playbook.cost_cents}",
            f"{playbook.uplift:.0%}",
            f"`{playbook.success.measure}`",
        ]


def test_the_playbooks_with_on_low_are_documented() -> None:
    [names] = re.findall(r"is reason enough for (.+?) \(`on_low`\)", PAGE, re.DOTALL)

    assert re.findall(r"`(\w+)`", names) == [
        key for key, p in shipped_playbooks().items() if p.on_low
    ]


def test_every_placeholder_is_documented() -> None:
    assert set(rows(PAGE, "Placeholders")) == set(ACCOUNT_FIELDS)
    for name, fields in SIGNAL_FIELDS.items():
        cells = rows(PAGE, "Placeholders of signals")[name]
        assert set(re.findall(r"`(\w+)`", cells[0])) == set(fields)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_contains_what_the_account_gets_and_one_next_step(name: str) -> None:
    message, language = MESSAGES[name], language_of(name)

    assert GETS[language].search(message.gets)
    assert STEP[language].search(message.step)
    assert sentences(message.step) == 1


@pytest.mark.parametrize("name", MESSAGES)
def test_no_message_causes_guilt_or_feigns_friendship(name: str) -> None:
    message = MESSAGES[name]

    assert not FAKE_OR_GUILT.search(message.gets + message.step)
    assert not DISCOUNT.search(message.gets + message.step)


@pytest.mark.parametrize("phrase", ["We miss you!", "Long time no see", "我们很想念你", "好久不见"])
def test_the_tone_test_recognizes_forbidden_phrases(phrase: str) -> None:
    assert FAKE_OR_GUILT.search(phrase)


@pytest.mark.parametrize("name", [n for n in MESSAGES if n.startswith(("return_", "apologise_"))])
def test_messages_after_churn_and_incidents_apologise_without_sympathy(name: str) -> None:
    text = MESSAGES[name].gets + MESSAGES[name].step

    assert APOLOGY[language_of(name)].search(text)
    assert not SYMPATHY.search(text)


@pytest.mark.parametrize("key", shipped_playbooks())
def test_a_next_step_is_one_sentence_about_the_account(key: str) -> None:
    for texts in shipped_playbooks()[key].texts.values():
        assert "{{ account }}" in texts.next_step
        assert sentences(texts.next_step) == 1


@pytest.mark.parametrize("name", MESSAGES)
def test_no_shipped_message_promises_what_a_vendor_may_not_have(name: str) -> None:
    assert not PROMISE.search(MESSAGES[name].gets + MESSAGES[name].step)


@pytest.mark.parametrize(
    "phrase",
    [
        "One named person now stays with your requests, and you get their direct number.",
        "Your data is kept, and you can have your account as it was in one click.",
        "现在由一位固定的同事负责到底，您可以直接拨打其电话。",
        "您会得到合适的套餐，即使是更小的那个。",
    ],
)
def test_the_promise_test_recognizes_promises(phrase: str) -> None:
    assert PROMISE.search(phrase)


def test_every_slot_is_documented_and_filled_by_nobody() -> None:
    documented = rows(PAGE, "Promises")

    for key, playbook in shipped_playbooks().items():
        assert re.findall(r"`(\w+)`", documented.get(key, [""])[0]) == playbook.slots
        assert playbook.promises == {}


@pytest.mark.parametrize("name", [name for name in MESSAGES if "/zh/" in name])
def test_chinese_texts_have_full_width_punctuation(name: str) -> None:
    text = re.sub(r"{{ \w+ }}", "值", f"{MESSAGES[name].gets}{MESSAGES[name].step}")

    assert not re.search(r"[,.;:!?()\"'](?!\d)", text)
    assert not re.search(r"[”）]{2}|[“（]{2}|。。", text)


def test_return_after_churn_requires_a_fixed_cause() -> None:
    assert shipped_playbooks()["return_after_churn"].also == ["cause_fixed"]


@pytest.mark.parametrize("name", [name for name in MESSAGES if "/en/" in name])
def test_a_count_that_may_be_one_precedes_no_plural(name: str) -> None:
    text = f"{MESSAGES[name].gets} {MESSAGES[name].step}"

    assert not re.search(r"{{ (now|late|active|tickets) }} (requests|end|people|seats)\b", text)
