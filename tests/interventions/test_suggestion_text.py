from datetime import date

from app.interventions.playbooks.catalogue import shipped_playbooks
from app.interventions.playbooks.templates import FieldValue, Money
from app.interventions.suggestion_text import compose_details
from app.signals.signal import Severity, Signal

DAY = date(2026, 3, 18)
KNOWN: dict[str, FieldValue | Money] = {"account": "Acme", "price": Money(59900, "EUR")}


def test_a_message_is_filled_with_the_accounts_own_numbers() -> None:
    rise = Signal(
        "price_rise",
        Severity.HIGH,
        DAY,
        {"before_cents": 49900, "after_cents": 59900, "user_id": "ada"},
    )

    said = compose_details(shipped_playbooks()["right_size"], rise, KNOWN, {})

    assert said["texts"]["en"]["message"].startswith(
        "Your price went from 499 EUR to 599 EUR a month."
    )
    assert said["texts"]["zh"]["message"].startswith("您的价格从每月 499 EUR 变为 599 EUR。")
    assert said["texts"]["en"]["next_step"].startswith("Propose to Acme")
    assert (said["severity"], said["since"]) == ("high", "2026-03-18")
    assert "user_id" not in said["evidence"]


def test_where_a_number_is_missing_the_default_is_said() -> None:
    rise = Signal("price_rise", Severity.HIGH, DAY, {"before_cents": 49900})

    said = compose_details(shipped_playbooks()["right_size"], rise, KNOWN, {})

    assert said["texts"]["en"]["message"].startswith("We have compared what you pay for")


def test_product_features_are_called_by_their_names() -> None:
    unused = Signal("paid_feature_unused", Severity.LOW, DAY, {"feature": "bulk", "days": 70})

    said = compose_details(
        shipped_playbooks()["teach_unused_feature"], unused, KNOWN, {"bulk": "Bulk import"}
    )

    assert "“Bulk import”" in said["texts"]["en"]["message"]
    assert said["evidence"]["feature"] == "bulk"


def test_days_and_shares_are_put_into_words() -> None:
    playbook = shipped_playbooks()["agree_success_plan"]
    near = Signal("renewal_near", Severity.LOW, DAY, {"renewal_on": "2026-05-01"})

    said = compose_details(playbook, near, KNOWN, {})

    assert "1 May 2026" in said["texts"]["en"]["message"]
    assert "2026年5月1日" in said["texts"]["zh"]["message"]


def test_a_link_is_left_out_while_something_in_it_is_not_known() -> None:
    linked = {"link": "https://x.example/{{ plan }}", "faq": "https://x.example/faq"}
    playbook = shipped_playbooks()["right_size"].model_copy(update=linked)
    driver = Signal("seats_idle", Severity.LOW, DAY, {})

    without = compose_details(playbook, driver, KNOWN, {})
    known = compose_details(playbook, driver, {**KNOWN, "plan": "team"}, {})

    assert (without["link"], without["faq"]) == (None, "https://x.example/faq")
    assert known["link"] == "https://x.example/team"
