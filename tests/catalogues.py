"""Reads catalogues of sentences (``.ftl``) for tests: their texts, and what each refers to."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl
from fluent.syntax.visitor import Visitor

from app.core.catalogue import load_catalogue
from app.core.languages import Language

APP = Path(__file__).parent.parent / "app"
PLURAL_CATEGORIES = {"zero", "one", "two", "few", "many", "other"}


class References(Visitor):
    """Collects what a part of a message refers to, and its plain text."""

    def __init__(self, *nodes: object) -> None:
        self.variables: set[str] = set()
        self.numbers: set[str] = set()
        self.messages: set[str] = set()
        self.plurals: list[tuple[bool, set[str]]] = []
        self.text = ""
        for node in nodes:
            self.visit(node)

    def visit_VariableReference(self, node: ftl.VariableReference) -> None:  # noqa: N802
        self.variables.add(node.id.name)

    def visit_FunctionReference(self, node: ftl.FunctionReference) -> None:  # noqa: N802
        self.numbers |= References(node.arguments).variables
        self.generic_visit(node)

    def visit_MessageReference(self, node: ftl.MessageReference) -> None:  # noqa: N802
        self.messages.add(node.id.name)

    def visit_TextElement(self, node: ftl.TextElement) -> None:  # noqa: N802
        self.text += node.value

    def visit_SelectExpression(self, node: ftl.SelectExpression) -> None:  # noqa: N802
        keys = {each.key.name for each in node.variants if isinstance(each.key, ftl.Identifier)}
        is_number = isinstance(node.selector, ftl.FunctionReference)
        if is_number or keys & PLURAL_CATEGORIES:
            self.plurals.append((is_number, keys))
        self.generic_visit(node)


@cache
def messages(catalogue: str, language: Language) -> dict[str, ftl.Message]:
    text = (APP / f"{catalogue}.{language}.ftl").read_text(encoding="utf-8")
    entries = FluentParser().parse(text).body
    assert [each.content for each in entries if isinstance(each, ftl.Junk)] == []
    found = [each for each in entries if isinstance(each, ftl.Message)]
    ids = [each.id.name for each in found]
    assert [name for name in ids if ids.count(name) > 1] == []
    return dict(zip(ids, found, strict=True))


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a message: its own (``attribute`` is empty), or that of an attribute."""

    catalogue: str
    language: Language
    message_id: str
    attribute: str
    refers_to: References

    def format(self, value: str, number: float, **given: str) -> str:
        """Format the text with one value for all its texts and one for all its numbers.

        ``given``: the values of some texts.
        """
        loaded = load_catalogue(str(APP / f"{self.catalogue}.py"), self.language)
        counted = numbers(self.catalogue)
        return loaded.format(
            self.message_id,
            **{
                name: number if name in counted else given.get(name, value)
                for name in self.refers_to.variables
            },
        )


@cache
def numbers(catalogue: str) -> frozenset[str]:
    """Return the values that are numbers in any language: some have a plural, others do not."""
    return frozenset(
        name
        for language in Language
        for message in messages(catalogue, language).values()
        for name in References(message).numbers
    )


def texts(catalogue: str, language: Language) -> Iterator[Text]:
    """Yield every text in the order of the file."""
    known = messages(catalogue, language)
    for message_id, message in known.items():
        patterns = [
            ("", message.value),
            *((each.id.name, each.value) for each in message.attributes),
        ]
        for attribute, pattern in patterns:
            if pattern is not None:
                found = with_parts(References(pattern), known)
                yield Text(catalogue, language, message_id, attribute, found)


def with_parts(found: References, known: dict[str, ftl.Message]) -> References:
    """Add the references of the messages that a text refers to."""
    for part in [*found.messages]:
        inner = with_parts(References(known[part]), known)
        found.variables |= inner.variables
        found.numbers |= inner.numbers
        found.messages |= inner.messages
    return found
