"""SQL files: sections, comments and parts; every section is used and every use exists."""

import ast
from pathlib import Path

import pytest

from app.core.sql import SqlFile, load_sql
from app.reports.timeline.kinds import EntryKind

APP = Path(__file__).parents[2] / "app"
NAMED_BY_VALUES = {APP / "reports/timeline/queries.sql": {kind.value for kind in EntryKind}}
"""Sections that a module names by the values of an enum."""

EXAMPLE = """\
-- name: window
day > :after AND day <= :upto
-- name: list_days
-- Why it is written so: the colon is not a parameter.
SELECT day, '{}' AS empty
FROM usage
  -- indented comment
WHERE {{window}} AND {{condition}}
-- name: count_days
SELECT count(*) FROM usage WHERE {{window}}
"""


@pytest.fixture
def example(tmp_path: Path) -> SqlFile:
    path = tmp_path / "queries.sql"
    path.write_text(EXAMPLE)
    return load_sql(str(tmp_path / "queries.py"))


def test_a_section_is_a_statement_with_its_parts_and_without_comments(example: SqlFile) -> None:
    statement = "SELECT count(*) FROM usage WHERE day > :after AND day <= :upto"

    assert str(example.count_days) == statement
    assert example.count_days is example.count_days


def test_a_part_can_be_given(example: SqlFile) -> None:
    assert str(example.compose("list_days", condition="{{window}}")) == (
        "SELECT day, '{}' AS empty\nFROM usage\n"
        "WHERE day > :after AND day <= :upto AND day > :after AND day <= :upto"
    )


def test_an_unknown_section_is_an_error(example: SqlFile) -> None:
    with pytest.raises(AttributeError, match=r"queries\.sql has no section nothing"):
        _ = example.nothing
    with pytest.raises(KeyError, match="condition"):
        example.compose("list_days")


def used_names(source: str) -> set[str]:
    """Return the sections that a module names: ``SQL.x``, ``SQL.compose("x")``, parts of both."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "SQL":
            names.add(node.attr)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
    return names - {"compose", "fill", "sections"}


@pytest.mark.parametrize("path", sorted(APP.rglob("*.sql")), ids=str)
def test_every_section_is_used_and_every_use_exists(path: Path) -> None:
    sections = SqlFile(path).sections
    beside = (file.read_text() for file in path.parent.glob("*.py"))
    users = [text for text in beside if f"{path.stem} import SQL" in text]
    module = "\n".join([path.with_suffix(".py").read_text(), *users])
    parts = {name for body in sections.values() for name in sections if f"{{{{{name}}}}}" in body}
    attributes = {
        node.attr
        for node in ast.walk(ast.parse(module))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "SQL"
    }

    used = used_names(module) | parts | NAMED_BY_VALUES.get(path, set())
    assert set(sections) <= used
    assert attributes - {"compose", "fill", "sections"} <= set(sections)
