"""The map names every package, and every path and name in it and in the guides exists."""

import re
from pathlib import Path

import pytest

from tests.test_docs import PROJECT, ROOT, rows

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
GUIDES = ("docs/architecture.md", "CONTRIBUTING.md", "SECURITY.md", "docs/adr/README.md")

FOLDERS = "app|bench|docs|migrations|models|tests"
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)(?::+(\w+))?`")
ROOT_FILE = re.compile(r"`([\w.-]+\.(?:ini|md|toml|txt|yaml)|Dockerfile|Makefile)`")


def layers() -> list[str]:
    """Return the packages of the import contract, from top to bottom."""
    contract = PROJECT["tool"]["importlinter"]["contracts"][0]
    return [name for layer in contract["layers"] for name in layer.split(" | ")]


def sub_packages() -> set[str]:
    folders = (path.parent for path in (ROOT / "app").glob("*/*/__init__.py"))
    return {f"{folder.parent.name}.{folder.name}" for folder in folders}


def test_every_package_is_listed_in_the_order_of_the_import_contract() -> None:
    named = [name for name in rows(ARCHITECTURE, "Packages") if "." not in name]

    assert named == layers()


def test_every_sub_package_is_listed_below_its_package() -> None:
    named = list(rows(ARCHITECTURE, "Packages"))
    inner = [name for name in named if "." in name]
    above = [named[named.index(name) - 1].partition(".")[0] for name in inner]

    assert set(inner) == sub_packages()
    assert above == [name.partition(".")[0] for name in inner]


@pytest.mark.parametrize("guide", GUIDES)
def test_every_path_in_a_guide_exists(guide: str) -> None:
    text = (ROOT / guide).read_text()
    paths = {path for path, _ in PATH.findall(text)}

    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    assert [name for name in ROOT_FILE.findall(text) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("guide", GUIDES)
def test_every_name_in_a_guide_is_in_its_file(guide: str) -> None:
    named = {each for each in PATH.findall((ROOT / guide).read_text()) if each[1]}
    missing = [(path, name) for path, name in sorted(named) if not _has_word(ROOT / path, name)]

    assert missing == []


def _has_word(path: Path, word: str) -> bool:
    return re.search(rf"\b{word}\b", path.read_text()) is not None
