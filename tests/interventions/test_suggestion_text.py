from collections.abc import Mapping
from datetime import date

from app.interventions.playbooks.catalogue import shipped_playbooks
from app.interventions.playbooks.definition import Playbook
from app.interventions.playbooks.templates import FieldValue, Money
from app.interventions.suggestion_text import compose_details
from app.signals.signal import Severity, Signal

DAY = date(2026, 3, 18)
KNOWN: dict[str, FieldValue | Money] = {"account": "Acme", "price": Money(59900, "EUR")}


def test_a_message_is_rendered_with_the_accounts_values() -> None:
    price_rise = Signal(
        "price_rise",
        Severity.HIGH,
        DAY,
        {"before_cents": 49900, "after_cents": 59900, "user_id": "ada"},
    )

    details = compose_details(shipped_playbooks()["right_size"], price_rise, KNOWN, {})

    assert details["texts"]["en"]["message"].startswith(
        "Your price went from 499 EUR to 599 EUR a month."
    )
    assert details["texts"]["zh"]["message"].startswith("您的价格从每月 499 EUR 变为 599 EUR。")
    assert details["texts"]["en"]["next_step"].startswith("Propose to Acme")
    assert (details["severity"], details["since"]) == ("high", "2026-03-18")
    assert "user_id" not in details["evidence"]


def promising(**promises: object) -> Playbook:
    document = shipped_playbooks()["recover_support"].model_dump(mode="json")
    return Playbook.model_validate(document | {"promises": promises})


def support_message(playbook: Playbook, values: Mapping[str, FieldValue | Money]) -> str:
    slow = Signal("support_slow", Severity.HIGH, DAY, {"late": 3, "tickets": 7, "days": 28})
    text = compose_details(playbook, slow, values, {})["texts"]["en"]["message"]
    assert isinstance(text, str)
    return text


PLAIN = (
    "In the last 28 days 3 of your requests waited longer than our standard allows; that is our"
    " failure."
)
STEP = "\n\nReply with the request that matters most to you."


def test_a_promise_that_the_workspace_has_not_made_is_left_out() -> None:
    assert support_message(shipped_playbooks()["recover_support"], KNOWN) == PLAIN + STEP


def test_a_promise_of_the_workspace_follows_what_the_account_gets() -> None:
    number = {"en": "{{ owner }} answers you directly: +1 555 0100.", "zh": "您可以直接致电。"}
    playbook = promising(direct_number=number)
    slow = Signal("support_slow", Severity.HIGH, DAY, {})

    message = support_message(playbook, {**KNOWN, "owner": "Kim"})
    chinese = compose_details(playbook, slow, KNOWN, {})["texts"]["zh"]["message"]

    assert message == f"{PLAIN} Kim answers you directly: +1 555 0100.{STEP}"
    assert "重新处理。您可以直接致电。" in chinese


def test_a_promise_with_an_unknown_value_or_in_another_language_is_left_out() -> None:
    unknown = promising(direct_number={"en": "{{ owner }} answers you directly."})
    other = promising(direct_number={"zh": "您可以直接致电。"})

    assert [support_message(each, KNOWN) for each in (unknown, other)] == [PLAIN + STEP] * 2


def test_the_default_message_is_used_if_a_value_is_missing() -> None:
    price_rise = Signal("price_rise", Severity.HIGH, DAY, {"before_cents": 49900})

    details = compose_details(shipped_playbooks()["right_size"], price_rise, KNOWN, {})

    assert details["texts"]["en"]["message"].startswith("We have compared what you pay for")


def test_product_features_appear_by_name() -> None:
    unused = Signal("paid_feature_unused", Severity.LOW, DAY, {"feature": "bulk", "days": 70})

    details = compose_details(
        shipped_playbooks()["teach_unused_feature"], unused, KNOWN, {"bulk": "Bulk import"}
    )

    assert "“Bulk import”" in details["texts"]["en"]["message"]
    assert details["evidence"]["feature"] == "bulk"


def test_days_are_formatted_in_each_language() -> None:
    playbook = shipped_playbooks()["agree_success_plan"]
    renewal_near = Signal("renewal_near", Severity.LOW, DAY, {"renewal_on": "2026-05-01"})

    details = compose_details(playbook, renewal_near, KNOWN, {})

    assert "1 May 2026" in details["texts"]["en"]["message"]
    assert "2026年5月1日" in details["texts"]["zh"]["message"]


def test_a_link_is_omitted_while_a_value_in_it_is_unknown() -> None:
    linked = {"link": "https://x.example/{{ plan }}", "faq": "https://x.example/faq"}
    playbook = shipped_playbooks()["right_size"].model_copy(update=linked)
    driver = Signal("seats_idle", Severity.LOW, DAY, {})

    missing = compose_details(playbook, driver, KNOWN, {})
    complete = compose_details(playbook, driver, {**KNOWN, "plan": "team"}, {})

    assert (missing["link"], missing["faq"]) == (None, "https://x.example/faq")
    assert complete["link"] == "https://x.example/team"
