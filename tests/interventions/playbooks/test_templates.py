from datetime import date

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from jinja2 import Environment

from app.core.languages import Language
from app.interventions.playbooks.templates import (
    Money,
    TemplateError,
    check_template,
    find_placeholders,
    format_value,
    render_template,
)

EN, ZH = Language.EN, Language.ZH


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
def test_braces_may_contain_only_names(source: str) -> None:
    with pytest.raises(TemplateError):
        find_placeholders(source)


def test_an_unknown_placeholder_is_reported_with_a_pointer() -> None:
    with pytest.raises(TemplateError, match="placeholder nonsense is not available") as caught:
        check_template("{{ account }} {{ nonsense }}", {"account"}, "/texts/en")

    assert caught.value.pointer == "/texts/en"


def test_a_missing_value_is_never_rendered() -> None:
    source = "{{ account }} has {{ seats }}."

    assert render_template(source, {"account": "Acme"}, EN) is None
    assert render_template(source, {"account": "Acme", "seats": None}, EN) is None
    assert render_template(source, {"account": "Acme", "seats": 3}, EN) == "Acme has 3."


@given(st.text(min_size=1, max_size=50))
def test_the_name_of_an_account_is_never_parsed_as_a_template(name: str) -> None:
    assert render_template("<{{ account }}>", {"account": name}, EN) == f"<{name}>"


@given(st.lists(st.sampled_from(["{{ account }}", "{# no #}", *"{}%#-!:a0\\\n\r "]), max_size=12))
def test_a_template_renders_as_jinja_renders_it(parts: list[str]) -> None:
    source = "".join(parts)
    try:
        check_template(source, {"account"}, "/link")
    except TemplateError:
        reject()

    jinja = Environment(autoescape=False).from_string(source)  # noqa: S701 - the result is not used as HTML

    assert render_template(source, {"account": "{Acme}"}, EN) == jinja.render(account="{Acme}")


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (1234, "1,234", "1,234"),
        (2.0, "2", "2"),
        (2.55, "2.5", "2.5"),
        (date(2026, 4, 5), "5 April 2026", "2026年4月5日"),
        (Money(123456, "USD"), "1,235 USD", "1,235 USD"),
        ("Acme", "Acme", "Acme"),
    ],
)
def test_values_are_formatted_in_each_language(value: object, english: str, chinese: str) -> None:
    assert format_value(value, EN) == english  # type: ignore[arg-type]
    assert format_value(value, ZH) == chinese  # type: ignore[arg-type]


def test_unknown_values_have_no_text() -> None:
    assert [format_value(value, EN) for value in (None, "", 0)] == [None, None, "0"]
