"""Sentences from Fluent files: values, variants, plurals and mistakes."""

from datetime import date
from pathlib import Path

import pytest

from app.core.catalogue import LONGEST_VALUE, Catalogue, Number, load_catalogue
from app.core.languages import Language

ENGLISH = """
waited = { $name } has waited for { days }.
    .since = { $name } has waited for { days }, since { $since }.
days =
    { $days } { NUMBER($days) ->
        [one] day
       *[other] days
    }
won =
    .prize = It won { $prize }.
list = { $before }, { $after }
"""


@pytest.fixture
def texts(tmp_path: Path) -> Catalogue:
    (tmp_path / "sentences.en.ftl").write_text(ENGLISH)
    return load_catalogue(str(tmp_path / "sentences.py"), Language.EN)


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (1, "1 day"),
        (1.0, "1 day"),
        (-1, "\N{MINUS SIGN}1 day"),
        (0, "0 days"),
        (1.04, "1.0 days"),
        (1200, "1,200 days"),
        (Number(2, "2.00"), "2.00 days"),
    ],
)
def test_a_number_is_formatted_and_chooses_the_plural(
    texts: Catalogue, days: float | Number, text: str
) -> None:
    assert texts.format("days", days=days) == text


def test_a_known_value_chooses_the_variant_with_its_name(texts: Catalogue) -> None:
    since = date(2026, 3, 1)

    assert texts.format("waited", name="Acme", days=2, since=None) == "Acme has waited for 2 days."
    assert texts.format("waited", name="Acme", days=2, since=since) == (
        "Acme has waited for 2 days, since 2026-03-01."
    )


def test_a_missing_value_or_message_is_an_error(texts: Catalogue) -> None:
    with pytest.raises(LookupError, match="name"):
        texts.format("waited", days=2)
    with pytest.raises(LookupError, match="won has no text"):
        texts.format("won")
    with pytest.raises(LookupError, match="value"):
        texts.format("days", days="two")
    with pytest.raises(LookupError, match="lost"):
        texts.format("lost")


def test_a_value_is_never_parsed_as_a_message(texts: Catalogue) -> None:
    assert texts.format("won", prize="{ $days }\n.x") == "It won { $days }\n.x."


def test_a_long_value_is_cut(texts: Catalogue) -> None:
    text = texts.format("won", prize="x" * 10 * LONGEST_VALUE)

    assert text.endswith("x\N{HORIZONTAL ELLIPSIS}.")
    assert len(text) == len("It won .") + LONGEST_VALUE


def test_texts_are_joined_to_a_list(texts: Catalogue) -> None:
    assert texts.format_list("list", ["a", "b", "c"]) == "a, b, c"
    assert texts.format_list("list", ["a"]) == "a"
    assert texts.format_list("list", []) == ""


def test_a_catalogue_has_its_messages(texts: Catalogue) -> None:
    assert "waited" in texts
    assert "lost" not in texts
