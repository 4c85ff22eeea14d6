"""Texts with placeholders: what may stand in them, and how the account's own numbers get in. Pure.

A template is text and names in double braces, and nothing else of Jinja: no loop, no expression.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

from app.health.words import Language

ENVIRONMENT = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
ALLOWED = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name)

Fact = str | float | date | None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount, with the currency that it is in."""

    cents: float
    currency: str


class TemplateError(ValueError):
    """What is wrong with a template; ``pointer``: where inside of what was sent."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


@lru_cache(maxsize=4096)
def placeholders(source: str) -> frozenset[str]:
    """Name the placeholders of a template; raises TemplateError for anything else in braces."""
    try:
        tree = ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise TemplateError("", f"The template cannot be read: {error.message}") from None
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, ALLOWED):
            raise TemplateError("", "Only names may stand in braces, such as {{ account }}.")
    return frozenset(name.name for name in tree.find_all(nodes.Name))


def check(source: str, known: Collection[str], at: str) -> None:
    """Raise TemplateError unless a template can be read and asks for nothing unknown."""
    try:
        unknown = placeholders(source).difference(known)
    except TemplateError as error:
        raise TemplateError(at, str(error)) from None
    if unknown:
        raise TemplateError(at, f"There is no placeholder {min(unknown)} here.")


@lru_cache(maxsize=4096)
def _compiled(source: str) -> Template:
    return ENVIRONMENT.from_string(source)


def render(source: str, said: Mapping[str, str]) -> str | None:
    """Fill a template in, or return None where it asks for something that is not known."""
    return _compiled(source).render(said) if placeholders(source) <= said.keys() else None


def worded(facts: Mapping[str, Fact | Money], language: Language) -> dict[str, str]:
    """Put what is known into words; what is not known is left out."""
    return {name: _worded(fact, language) for name, fact in facts.items() if fact not in (None, "")}


def _worded(fact: Fact | Money, language: Language) -> str:
    match fact:
        case Money(cents, currency):
            return f"{cents / 100:,.0f} {currency}"
        case date():
            if language is Language.ZH:
                return f"{fact.year}年{fact.month}月{fact.day}日"
            return f"{fact.day} {fact:%B} {fact.year}"
        case float() if not fact.is_integer():
            return f"{fact:,.1f}"
        case int() | float():
            return f"{fact:,.0f}"
    return str(fact)
