"""Sentences in several languages, from Fluent files beside the code that uses them. Pure.

How to write them, and how to add a language: docs/languages.md.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

from app.core.languages import Language, close_gaps
from app.core.number_format import format_number

if TYPE_CHECKING:
    from fluent.runtime import FluentBundle

LONGEST_VALUE = 2000
"""Longer values are cut: Fluent refuses a part of more than 2,500 characters."""


class Number(str):
    """A number as text for readers, with the value that decides the plural."""

    __slots__ = ("value",)
    value: float

    def __new__(cls, value: float, text: str | None = None) -> Self:
        number = super().__new__(cls, format_number(value) if text is None else text)
        number.value = value
        return number


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The messages of one ``.ftl`` file."""

    bundle: "FluentBundle"
    language: Language

    def format(self, message_id: str, /, **values: str | float | date | None) -> str:
        """Return a message with its values; None is an unknown value.

        An attribute of a message is named after a value: the text of the first attribute whose
        value is known replaces the text of the message. Raise an error if the text needs a value
        that is unknown.
        """
        message = self.bundle.get_message(message_id)
        known = {name: _to_text(value) for name, value in values.items() if value is not None}
        variants = (text for name, text in message.attributes.items() if name in known)
        pattern = next(variants, message.value)
        if pattern is None:
            raise LookupError(f"{message_id} has no text for the values {sorted(known)}.")
        text, errors = self.bundle.format_pattern(pattern, known)
        if errors:
            raise LookupError(f"{message_id} cannot be formatted: {errors}.")
        return close_gaps(str(text), self.language)

    def format_list(self, message_id: str, items: Collection[str]) -> str:
        """Join texts with a message of ``$before`` and ``$after``; return "" if there are none."""
        before, *rest = items or ("",)
        for after in rest:
            before = self.format(message_id, before=before, after=after)
        return before

    def __contains__(self, message_id: str) -> bool:
        return self.bundle.has_message(message_id)


@cache
def load_catalogue(module_file: str, language: Language) -> Catalogue:
    """Load ``sentences.en.ftl`` for the ``__file__`` of ``sentences.py``.

    Fluent is imported here: it takes 70 ms, and a process may never write a sentence.
    """
    from fluent.runtime import FluentBundle, FluentResource
    from fluent.runtime.types import FluentFloat

    bundle = FluentBundle(
        [language.tag],
        functions={"NUMBER": lambda number: FluentFloat(number.value)},
        use_isolating=False,
    )
    path = Path(module_file).with_suffix(f".{language}.ftl")
    bundle.add_resource(FluentResource(path.read_text(encoding="utf-8")))
    return Catalogue(bundle, language)


def _to_text(value: str | float | date) -> str:
    match value:
        case str():
            return value if len(value) <= LONGEST_VALUE else f"{value[: LONGEST_VALUE - 1]}…"
        case date():
            return value.isoformat()
    return Number(value)
