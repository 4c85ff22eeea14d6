from dataclasses import replace
from datetime import date

from app.signals.diff import OpenSignal, diff_signals
from app.signals.signal import Severity, make_signal

OPEN = make_signal("dormant", Severity.MEDIUM, date(2026, 3, 1), days=17)
STORED = {"a1": [OpenSignal(7, OPEN)]}


def test_the_same_signals_again_change_nothing() -> None:
    changes = diff_signals(STORED, {"a1": [OPEN]})

    assert (changes.opened, changes.changed, changes.cleared, changes.accounts) == (
        [],
        [],
        [],
        frozenset(),
    )


def test_other_evidence_is_stored_and_does_not_count_as_a_change_of_the_account() -> None:
    later = replace(OPEN, evidence={"days": 18})

    changes = diff_signals(STORED, {"a1": [later]})

    assert changes.changed == [OpenSignal(7, later)]
    assert changes.accounts == frozenset()


def test_another_severity_counts_as_a_change_of_the_account() -> None:
    assert diff_signals(STORED, {"a1": [replace(OPEN, severity=Severity.HIGH)]}).accounts == {"a1"}


def test_an_open_signal_keeps_its_earliest_day() -> None:
    sliding = replace(OPEN, since=date(2026, 3, 9), evidence={"days": 18})

    [changed] = diff_signals(STORED, {"a1": [sliding]}).changed

    assert changed.signal.since == date(2026, 3, 1)


def test_a_signal_that_is_gone_is_cleared_and_a_new_one_opened() -> None:
    other = replace(OPEN, name="price_rise", key="main")

    changes = diff_signals(STORED, {"a1": [other], "a2": []})

    assert changes.opened == [("a1", other)]
    assert changes.cleared == [7]
    assert changes.accounts == {"a1"}


def test_signals_of_one_name_are_distinguished_by_their_key() -> None:
    chat, pay = (replace(OPEN, key=key) for key in ("chat", "pay"))

    changes = diff_signals({"a1": [OpenSignal(1, chat)]}, {"a1": [chat, pay]})

    assert changes.opened == [("a1", pay)]


def test_an_account_that_was_not_evaluated_keeps_its_signals() -> None:
    assert diff_signals(STORED, {}).cleared == []
