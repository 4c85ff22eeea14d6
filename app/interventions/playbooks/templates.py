"""Templates: check texts with placeholders, and render them with an account's values. Pure.

A template contains text and names in double braces, and nothing else of Jinja: no loop, no
expression. Jinja only parses each template once; Python's own formatting renders it for every
account.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from app.core.languages import Language, close_gaps, format_day

if TYPE_CHECKING:
    from jinja2 import Environment

FieldValue = str | float | date | None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its currency."""

    cents: float
    currency: str


class TemplateError(ValueError):
    """An invalid template; ``pointer``: its place inside the request."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


@cache
def _environment() -> "Environment":
    """Return Jinja's parser. The import takes 31 ms, and a process may never read a template."""
    from jinja2 import Environment

    return Environment(autoescape=True)


@lru_cache(maxsize=4096)
def _parse(source: str) -> tuple[frozenset[str], str]:
    """Return the placeholders of a template, and its text in the format of ``str.format_map``.

    Raise TemplateError for anything else in braces.
    """
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = _environment().parse(source)
    except TemplateSyntaxError as error:
        raise TemplateError("", f"The template is invalid: {error.message}") from None
    names: set[str] = set()
    text = ""
    for node in tree.find_all(nodes.Node):
        match node:
            case nodes.Name(name=name):
                names.add(name)
                text += f"{{{name}}}"
            case nodes.TemplateData(data=data):
                text += data.replace("{", "{{").replace("}", "}}")
            case nodes.Output():
                pass
            case _:
                raise TemplateError("", "Braces may contain only names, such as {{ account }}.")
    return frozenset(names), text


def find_placeholders(source: str) -> frozenset[str]:
    """Return the placeholders of a template; raise TemplateError for anything else in braces."""
    return _parse(source)[0]


def check_template(source: str, known: Collection[str], at: str) -> None:
    """Raise TemplateError if a template is invalid or uses an unknown placeholder."""
    try:
        unknown = find_placeholders(source).difference(known)
    except TemplateError as error:
        raise TemplateError(at, str(error)) from None
    if unknown:
        raise TemplateError(
            at, f"The placeholder {min(unknown)} is not available: use {', '.join(sorted(known))}."
        )


def render_template(
    source: str, values: Mapping[str, FieldValue | Money], language: Language
) -> str | None:
    """Render a template; return None if the value of a placeholder is unknown."""
    names, text = _parse(source)
    texts = {name: format_value(values.get(name), language) for name in names}
    return None if None in texts.values() else close_gaps(text.format_map(texts), language)


def format_value(value: FieldValue | Money, language: Language) -> str | None:
    """Write a value as text; return None if it is unknown."""
    return None if value in (None, "") else _format_known(value, language)


def _format_known(value: FieldValue | Money, language: Language) -> str:
    match value:
        case Money(cents, currency):
            return f"{cents / 100:,.0f} {currency}"
        case date():
            return format_day(value, language)
        case float() if not value.is_integer():
            return f"{value:,.1f}"
        case int() | float():
            return f"{value:,.0f}"
    return str(value)
