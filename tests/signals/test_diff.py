from dataclasses import replace
from datetime import date

from app.signals.diff import OpenSignal, diff_signals
from app.signals.signal import Severity, make_signal

OPEN = make_signal("dormant", Severity.MEDIUM, date(2026, 3, 1), days=17)
STORED = {"a1": [OpenSignal(7, OPEN)]}


def test_the_same_again_is_no_news() -> None:
    news = diff_signals(STORED, {"a1": [OPEN]})

    assert (news.opened, news.changed, news.cleared, news.accounts) == ([], [], [], frozenset())


def test_other_numbers_are_kept_and_are_no_change_of_the_account() -> None:
    later = replace(OPEN, evidence={"days": 18})

    news = diff_signals(STORED, {"a1": [later]})

    assert news.changed == [OpenSignal(7, later)]
    assert news.accounts == frozenset()


def test_another_severity_is_a_change_of_the_account() -> None:
    assert diff_signals(STORED, {"a1": [replace(OPEN, severity=Severity.HIGH)]}).accounts == {"a1"}


def test_an_open_signal_holds_since_its_earliest_day() -> None:
    sliding = replace(OPEN, since=date(2026, 3, 9), evidence={"days": 18})

    [kept] = diff_signals(STORED, {"a1": [sliding]}).changed

    assert kept.signal.since == date(2026, 3, 1)


def test_what_no_longer_holds_is_cleared_and_what_is_new_opened() -> None:
    other = replace(OPEN, name="price_rise", key="main")

    news = diff_signals(STORED, {"a1": [other], "a2": []})

    assert news.opened == [("a1", other)]
    assert news.cleared == [7]
    assert news.accounts == {"a1"}


def test_signals_of_one_name_are_told_apart_by_their_key() -> None:
    one, two = (replace(OPEN, key=key) for key in ("chat", "pay"))

    news = diff_signals({"a1": [OpenSignal(1, one)]}, {"a1": [one, two]})

    assert news.opened == [("a1", two)]


def test_an_account_that_was_not_looked_at_keeps_its_signals() -> None:
    assert diff_signals(STORED, {}).cleared == []
