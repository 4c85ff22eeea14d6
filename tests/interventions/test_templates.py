from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.health.words import Language
from app.interventions.templates import Money, TemplateError, check, placeholders, render, worded


@pytest.mark.parametrize(
    "source",
    [
        "{{ account",
        "{% for x in range(10) %}x{% endfor %}",
        "{{ account.__class__ }}",
        "{{ 'a' * 1000000000 }}",
        "{{ account | upper }}",
        "{{ f() }}",
        "{% set x = 1 %}",
    ],
)
def test_nothing_but_names_may_stand_in_braces(source: str) -> None:
    with pytest.raises(TemplateError):
        placeholders(source)


def test_an_unknown_placeholder_is_named_with_its_place() -> None:
    with pytest.raises(TemplateError, match="no placeholder nonsense") as caught:
        check("{{ account }} {{ nonsense }}", {"account"}, "/texts/en")

    assert caught.value.pointer == "/texts/en"


def test_what_is_missing_is_never_rendered() -> None:
    assert render("{{ account }} has {{ seats }}.", {"account": "Acme"}) is None
    assert render("{{ account }} has {{ seats }}.", {"account": "Acme", "seats": "3"}) == (
        "Acme has 3."
    )


@given(st.text(max_size=50))
def test_what_an_account_is_called_is_never_read_as_a_template(name: str) -> None:
    assert render("<{{ account }}>", {"account": name}) == f"<{name}>"


@pytest.mark.parametrize(
    ("fact", "english", "chinese"),
    [
        (1234, "1,234", "1,234"),
        (2.0, "2", "2"),
        (2.55, "2.5", "2.5"),
        (date(2026, 4, 5), "5 April 2026", "2026年4月5日"),
        (Money(123456, "USD"), "1,235 USD", "1,235 USD"),
        ("Acme", "Acme", "Acme"),
    ],
)
def test_facts_are_put_into_words(fact: object, english: str, chinese: str) -> None:
    facts = {"x": fact}

    assert worded(facts, Language.EN) == {"x": english}  # type: ignore[arg-type]
    assert worded(facts, Language.ZH) == {"x": chinese}  # type: ignore[arg-type]


def test_what_is_not_known_is_left_out() -> None:
    assert worded({"x": None, "y": "", "z": 0}, Language.EN) == {"z": "0"}
