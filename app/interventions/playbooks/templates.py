"""Texts with placeholders: what may stand in them, and how the account's own numbers get in. Pure.

A template is text and names in double braces, and nothing else of Jinja: no loop, no expression.
So Jinja only reads templates, once each; Python's own formatting fills them in, for every account.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError, nodes

from app.health.explanations.catalogue import Language

ENVIRONMENT = Environment(autoescape=True)
ALLOWED_NODES = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name)

FieldValue = str | float | date | None


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
def find_placeholders(source: str) -> frozenset[str]:
    """Name the placeholders of a template; raises TemplateError for anything else in braces."""
    try:
        tree = ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise TemplateError("", f"The template cannot be read: {error.message}") from None
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, ALLOWED_NODES):
            raise TemplateError("", "Only names may stand in braces, such as {{ account }}.")
    return frozenset(name.name for name in tree.find_all(nodes.Name))


def check_template(source: str, known: Collection[str], at: str) -> None:
    """Raise TemplateError unless a template can be read and asks for nothing unknown."""
    try:
        unknown = find_placeholders(source).difference(known)
    except TemplateError as error:
        raise TemplateError(at, str(error)) from None
    if unknown:
        raise TemplateError(at, f"There is no placeholder {min(unknown)} here.")


@lru_cache(maxsize=4096)
def _format(source: str) -> str:
    """Write a template as ``str.format_map`` takes it: names, and text with its braces doubled."""
    return "".join(_formatted(part) for part in ENVIRONMENT.parse(source).find_all(nodes.Expr))


def _formatted(part: nodes.Expr) -> str:
    match part:
        case nodes.Name(name=name):
            return f"{{{name}}}"
        case nodes.TemplateData(data=text):
            return text.replace("{", "{{").replace("}", "}}")
    raise AssertionError("placeholders() lets nothing else through")


def render_template(
    source: str, known: Mapping[str, FieldValue | Money], language: Language
) -> str | None:
    """Fill a template in, or return None where it asks for something that is not known."""
    said = {name: format_value(known.get(name), language) for name in find_placeholders(source)}
    return None if None in said.values() else _format(source).format_map(said)


def format_value(fact: FieldValue | Money, language: Language) -> str | None:
    """Put a fact into words; None where nothing is known."""
    return None if fact in (None, "") else _worded(fact, language)


def _worded(fact: FieldValue | Money, language: Language) -> str:
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
