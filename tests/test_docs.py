"""The documentation names everything that a user can set, call or receive, and nothing else."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from app.cli import app as command_line
from app.core.settings import Settings
from app.engagement.parse_events import (
    FEEDBACK_KINDS,
    FEEDBACK_OUTCOMES,
    INVALID,
    METRICS,
    MISSING,
    PROPERTY_NAMES,
    UNKNOWN,
)
from app.engagement.snapshot import GoalStatus
from app.events.reading.near_misses import UNREAD_FIELD
from app.events.reading.quarantine_codes import QUARANTINE_CODES
from app.events.reading.reused_ids import ID_REUSED
from app.health.definition.benchmark import Normalizer
from app.health.definition.measures import METRIC_NAMES, default_measures
from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus, PriceStatus
from app.workspaces.semantic_events import DEFAULT_NAMES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
INGESTION = (ROOT / "docs" / "ingestion.md").read_text()
ENGAGEMENT = (ROOT / "docs" / "engagement.md").read_text()
SCORE = (ROOT / "docs" / "score.md").read_text()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PAGES = (
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "clients").glob("*/*.md")),
)
RECORDS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))

CODE = re.compile(r"[a-z0-9]+(_[a-z]+)+")
LINK = re.compile(r"\]\(([^)\s]+)\)")
MACHINE_PATH = re.compile(r"(?<![\w.}/])/(work|root|home|tmp|usr|opt|srv|Users)/")


def rows(page: str, heading: str) -> dict[str, list[str]]:
    """Return the first table under a heading: the first cell without quotes to the other cells."""
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\|(.+)\|$", section, re.MULTILINE)[2:]
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    return {first.strip("`"): others for first, *others in cells}


def commands() -> list[str]:
    found = []
    for name, command in get_command(command_line).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found.extend([f"{name} {each}" for each in inner] if inner else [name])
    return found


def warning_codes() -> set[str]:
    """Return the warning codes that the source appends, adds, returns or assigns."""
    return {MISSING, INVALID, UNKNOWN, UNREAD_FIELD, ID_REUSED} | {
        text
        for name in ("reading/sanitize", "reading/times", "reading/canonical", "ingestion/service")
        for text in _emitted_texts(ast.parse((ROOT / "app" / "events" / f"{name}.py").read_text()))
        if CODE.fullmatch(text)
    }


def _emitted_texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="append" | "add"), args=arguments):
                yield from (text for argument in arguments[:2] for text in _texts(argument))
            case ast.Return(value=ast.IfExp() | ast.Constant() | ast.Tuple() as value):
                yield from _texts(value)
            case ast.Assign(value=ast.Tuple() | ast.Constant() as value):
                yield from _texts(value)


def _texts(node: ast.AST) -> list[str]:
    constants = [each for each in ast.walk(node) if isinstance(each, ast.Constant)]
    return [each.value for each in constants if isinstance(each.value, str)]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme_with_its_default(name: str) -> None:
    default = Settings.model_fields[name].default
    documented = rows(README, "Settings")[f"HEALTH_{name.upper()}"][0]

    assert documented == ("unset" if default is None else f"`{default}`")


def test_the_readme_names_no_setting_that_does_not_exist() -> None:
    named = {
        name for page in PAGES for name in re.findall(r"HEALTH_[A-Z_]+[A-Z]", page.read_text())
    }

    assert named == {f"HEALTH_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"`{command}`" in README


def test_every_quarantine_code_is_documented() -> None:
    assert set(rows(INGESTION, "Quarantine")) == set(QUARANTINE_CODES)


def test_every_warning_is_documented() -> None:
    assert set(rows(INGESTION, "Warnings")) == warning_codes()


def test_every_semantic_event_is_documented_with_its_names() -> None:
    documented = {kind: cells[0] for kind, cells in rows(ENGAGEMENT, "Events").items()}

    assert documented == {
        kind.value: ", ".join(f"`{name}`" for name in names)
        for kind, names in DEFAULT_NAMES.items()
    }


@pytest.mark.parametrize(
    "word", [*METRICS, *FEEDBACK_OUTCOMES, *FEEDBACK_KINDS, *GoalStatus, *PROPERTY_NAMES]
)
def test_every_word_of_a_semantic_event_is_explained(word: str) -> None:
    assert f"`{word}`" in ENGAGEMENT


def test_every_measure_is_documented_with_its_weight() -> None:
    documented = {
        name: float(cells[-1]) for name, cells in rows(README, "What the score means").items()
    }

    assert documented == {measure.name: measure.weight for measure in default_measures()}
    assert set(rows(SCORE, "Measures")) == set(documented)


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_every_metric_is_documented(name: str) -> None:
    assert f"`{name}`" in SCORE


def test_every_status_is_documented() -> None:
    assert set(rows(SCORE, "Health score")) == {status.value for status in HealthStatus}


@pytest.mark.parametrize("word", [*Band, *Normalizer, *(p for p in PriceStatus if p != "priced")])
def test_every_word_of_a_health_answer_is_explained(word: str) -> None:
    assert f"`{word}`" in SCORE


def test_every_dependency_has_its_reason() -> None:
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    names = {re.split(r"[^\w-]", requirement)[0] for requirement in wanted}

    assert {name for name in names if f"`{name}`" not in CHANGELOG} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    targets = [(page.parent / link.partition("#")[0]).resolve() for link in links if link[0] != "#"]

    assert [target for target in targets if not target.exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_holds_a_path_of_a_machine(page: Path) -> None:
    assert MACHINE_PATH.search(page.read_text()) is None


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 200


def test_every_record_has_context_decision_and_consequences() -> None:
    numbers = [record.name[:4] for record in RECORDS]
    headings = [re.findall(r"^## (.+)$", r.read_text(), re.MULTILINE) for r in RECORDS]

    assert numbers == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]
    assert all(found == ["Context", "Decision", "Consequences"] for found in headings)


def test_every_record_is_listed_with_its_status_and_date() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    listed = re.findall(
        r"^\| \d{4} \| \[.+\]\((.+)\) \| .+ \| (.+) \| (.+) \|$", index, re.MULTILINE
    )

    assert listed == [(record.name, *_status_and_date(record.read_text())) for record in RECORDS]


def _status_and_date(record: str) -> tuple[str, str]:
    """Return the status without links and the date of ``Status: current. Date: 2026-11-22.``."""
    [(status, date)] = re.findall(r"^Status: (.+)\. Date: ([\d-]{10})\.", record, re.MULTILINE)
    return re.sub(r"\[(\d+)\]\([^)]+\)", r"\1", status), date
