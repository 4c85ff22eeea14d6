"""The commands and examples of the documentation work as written."""

import csv
import gzip
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from app.cli import app as command_line
from app.cli.demonstration import print_introduction
from app.core.postgres.engines import open_engine
from app.core.settings import Settings
from app.demo.load import Demo
from app.demo.simulate import simulate
from app.events.ingestion.schemas import Receipt
from app.portfolio.envelope import AccountHealthOut
from app.workspaces.keys import NewKey
from tests.conftest import CreateDatabase
from tests.test_docs import PAGES, README, ROOT, commands

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


HEALTH_ANSWER = json.loads((ROOT / "docs" / "examples" / "account_health.json").read_text())
"""The whole answer of which the README shows some fields."""


def blocks(page: str, language: str) -> list[str]:
    return [body for found, body in BLOCK.findall(page) if found == language]


def shell_commands() -> list[str]:
    """Return the commands of the import example, each on one line."""
    page = (ROOT / "docs" / "imports.md").read_text()
    lines = "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip()]


def run(*command: str) -> str:
    done = subprocess.run(  # noqa: S603 - the README's own commands
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def invoke(command: str) -> str:
    """Run one of our commands in this process, which is faster than a new process."""
    python, dash_m, app, *arguments = shlex.split(command)
    assert [python, dash_m, app] == ["python", "-m", "app"]
    answer = CliRunner().invoke(command_line, arguments, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.output


def write_csv(path: Path, rows: Iterable[Iterable[object]]) -> None:
    text = StringIO()
    csv.writer(text).writerows(rows)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture
def empty_database(databases: CreateDatabase) -> str:
    """A database of the test: commands commit what they write."""
    return databases("readme")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Write files like those of the example: accounts, one of them with an add-on."""
    write_csv(
        tmp_path / "subscriptions.csv",
        [
            ["account_id", "product", "start_date", "end_date", "mrr", "quantity", "units"],
            [0, "standard", "2026-01-01", "2026-12-31", 500, 25, "users"],
            [0, "search", "2026-01-01", "2026-12-31", 200, 5000, "searches"],
            [1, "basic", "2026-01-01", "", 50.5, 3, "users"],
        ],
    )
    write_csv(tmp_path / "event_types.csv", [["id", "name"], [0, "search"], [1, "export"]])
    write_csv(
        tmp_path / "events.csv.gz",
        [["account_id", "ts", "t", "u"]]
        + [[account, 1767600000 + 3600 * n, n % 2, n % 3] for account in (0, 1) for n in range(30)],
    )
    return tmp_path


def count(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_make_help_lists_the_make_commands_of_the_readme() -> None:
    help_text = run("make", "help")

    assert {f"make {name}" for name in ("demo", "test")} <= set(re.findall(r"make \w+", README))
    assert all(name in help_text for name in re.findall(r"`(make \w+)`", README))


def test_the_command_line_has_help() -> None:
    assert "Usage" in run(sys.executable, "-m", "app", "--help")


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help(command: str) -> None:
    assert "--help" in invoke(f"python -m app {command} --help")


@pytest.mark.usefixtures("quiet_logs")
def test_the_import_example_stores_the_content_of_the_files(
    empty_database: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTH_DATABASE_URL", empty_database)
    monkeypatch.chdir(files)
    invoke("python -m app migrate")

    outputs = [invoke(command) for command in shell_commands()]
    again = invoke(shell_commands()[2])

    engine = open_engine(empty_database, pool_size=1)
    users = count(engine, "SELECT DISTINCT user_id FROM daily_usage WHERE account_id = 'acct-0'")
    paid = count(
        engine,
        "SELECT account_id, subscription_id, plan, mrr_cents, seats"
        " FROM subscription ORDER BY 1, 2",
    )
    names = count(engine, "SELECT event_name, sum(events) FROM daily_usage GROUP BY 1 ORDER BY 1")
    scored = count(engine, "SELECT account_id FROM health_score WHERE as_of IS NOT NULL ORDER BY 1")
    engine.dispose()
    assert "workspace: crm" in outputs[0]
    assert "3 rows: 3 stored" in outputs[1]
    assert "60 rows: 60 stored, 0 duplicates, 0 rejected" in outputs[2]
    assert "60 rows: 0 stored, 60 duplicates, 0 rejected" in again
    assert paid == [
        ("acct-0", "search", None, 200_00, None),
        ("acct-0", "standard", "standard", 500_00, 25),
        ("acct-1", "basic", "basic", 50_50, 3),
    ]
    assert sorted(users) == [(f"acct-0:{n}",) for n in range(3)]
    assert names == [("export", 30), ("search", 30)]
    assert scored == [("acct-0",), ("acct-1",)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_json_examples_are_json(page: Path) -> None:
    for example in blocks(page.read_text(), "json"):
        json.loads(example)


def test_the_python_example_is_python() -> None:
    for example in blocks(README, "python"):
        compile(example, "README.md", "exec")


def test_every_variable_of_a_command_is_set_by_the_demo_or_by_a_command_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = simulate(seed=7, last_day=date(2026, 1, 31), accounts=1, days=60)
    demo = Demo("demo", NewKey("w", "hk_w"), NewKey("r", "hk_r"), "link", world, 1, "none")
    print_introduction(demo, Settings(_env_file=None, port=8123))
    printed = capsys.readouterr().out
    [exported] = [line for line in printed.splitlines() if line.startswith("export ")]

    assert "sign in    http://127.0.0.1:8123/sign-in/link " in printed
    assert "export SERVER=http://127.0.0.1:8123 WORKSPACE=demo WRITE_KEY=hk_w" in exported
    known = set(re.findall(r"\b([A-Z_]+)=", exported)) | {"WEBHOOK_KEY", "WEBHOOK_SECRET"}
    assert set(re.findall(r"\$([A-Z_]+)", printed)) <= known
    assert set(re.findall(r"\$([A-Z_]+)", README)) <= known
    assert set(re.findall(r'environ\["([A-Z_]+)"\]', README)) <= known
    assert {"WEBHOOK_KEY", "WEBHOOK_SECRET"} <= set(re.findall(r"\b([A-Z_]+)=", README))


def test_the_examples_have_the_fields_of_the_real_answers() -> None:
    [receipt] = [
        json.loads(body)
        for body in blocks((ROOT / "docs" / "ingestion.md").read_text(), "json")
        if "received" in body
    ]

    assert set(HEALTH_ANSWER) == set(AccountHealthOut.model_fields)
    assert set(receipt) == set(Receipt.model_fields)


def test_the_readme_shows_six_fields_of_the_whole_answer() -> None:
    [shortened] = map(json.loads, blocks(README, "json"))

    assert len(shortened) == 6
    assert shortened == {name: HEALTH_ANSWER[name] for name in shortened}


def test_the_worked_example_of_the_score_equals_the_whole_answer() -> None:
    health = HEALTH_ANSWER
    scores = {measure["name"]: measure["score"] for measure in health["measures"]}
    weights = {measure["name"]: measure["weight"] for measure in health["measures"]}
    mean = sum(scores[n] * weights[n] for n in scores) / sum(weights.values())

    page = (ROOT / "docs" / "score.md").read_text()
    assert mean == pytest.approx(health["value"], abs=1e-3)
    assert all(f"{score:.4f}" in page for n, score in scores.items() if n != "momentum")
    assert f"= {health['value']:.2f}: `{health['band']}`" in " ".join(page.split())
