from datetime import date

from app.interventions.playbooks.catalogue import shipped_playbooks
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
