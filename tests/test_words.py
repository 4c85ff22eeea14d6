"""Identifiers use the field's words (CONTRIBUTING.md), and a class name says what it is."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

REFUSED = {
    *("told", "said", "kept", "asked", "heard", "tale", "desk", "yardstick"),
    *("judge", "judges", "judged", "judging", "judgement", "standing", "standings"),
}
"""Private words of the first versions: each stood for several things."""
MAX_PACKAGES = 2
WORD = re.compile(r"[A-Z]?[a-z]+")


def files() -> list[str]:
    folders = ("app", "bench", "clients", "tests")
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(str(path.relative_to(ROOT)) for path in paths if "_generated" not in path.parts)


def identifiers(source: str) -> Iterator[str]:
    """Yield every name that a module defines or uses."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.alias():
                yield node.name
            case ast.Name():
                yield node.id
            case ast.Attribute():
                yield node.attr
            case ast.arg() | ast.keyword():
                yield node.arg or ""
            case ast.MatchAs() | ast.MatchStar():
                yield node.name or ""


def refused(source: str) -> set[str]:
    """Return the identifiers that contain a refused word, as a part in snake or camel case."""
    names = set(identifiers(source))
    return {name for name in names if {part.lower() for part in WORD.findall(name)} & REFUSED}


def public_classes(source: str) -> set[str]:
    body = ast.parse(source).body
    names = {node.name for node in body if isinstance(node, ast.ClassDef)}
    return {name for name in names if not name.startswith("_")}


def packages_by_class(sources: dict[str, str]) -> dict[str, set[str]]:
    """Return the packages that define each public class of ``app``."""
    packages = defaultdict(set)
    for file, source in sources.items():
        for name in public_classes(source):
            packages[name].add(Path(file).parts[1])
    return packages


@pytest.mark.parametrize("file", files())
def test_no_identifier_has_a_refused_word(file: str) -> None:
    assert not {part.lower() for part in WORD.findall(Path(file).stem)} & REFUSED
    assert refused((ROOT / file).read_text()) == set()


def test_a_class_name_is_defined_in_at_most_two_packages() -> None:
    sources = {file: (ROOT / file).read_text() for file in files() if file.startswith("app/")}
    packages = packages_by_class(sources)

    assert {name: found for name, found in packages.items() if len(found) > MAX_PACKAGES} == {}


@pytest.mark.parametrize(
    "source",
    [
        "told = 1",
        "def read(*, said=None): ...",
        "class AccountStanding: ...",
        "row.owner_asked",
        "call(judged=1)",
        "from app import yardstick",
    ],
)
def test_a_planted_word_is_found(source: str) -> None:
    assert len(refused(source)) == 1


def test_a_planted_class_is_found_in_three_packages() -> None:
    sources = {f"app/{name}/tables.py": "class State: ..." for name in ("jobs", "alerts", "events")}

    assert packages_by_class(sources) == {"State": {"jobs", "alerts", "events"}}
