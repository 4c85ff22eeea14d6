"""SECURITY.md names tests that exist, and log lines have no fields for personal data."""

import ast
import re
from pathlib import Path

import pytest

from tests.test_docs import ROOT

PAGE = (ROOT / "SECURITY.md").read_text()
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")

LOG_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
LOG_FIELDS = {
    *("accounts", "account_id", "endpoint_id", "id", "job_id", "key", "pid", "workspace"),
    *("workspace_id", "error", "exc_info", "folder", "kind", "method", "milliseconds"),
    *("path", "reason", "route", "since", "state", "status"),
    *("code", "host", "repeated", "setting", "nearest"),
}
"""Ids, counts, states, names of classes and settings, and the database's host.

Never a payload, a key, or a name or an address of a customer or a person.
"""


def log_calls(path: Path) -> list[ast.Call]:
    """Return the calls of ``log.info`` and the like in a file."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return [
        call
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in LOG_LEVELS
        and getattr(call.func.value, "id", "") == "log"
    ]


def test_a_log_line_has_only_known_fields() -> None:
    calls = [call for path in (ROOT / "app").rglob("*.py") for call in log_calls(path)]
    fields = {keyword.arg for call in calls for keyword in call.keywords}

    assert fields <= LOG_FIELDS
    assert all(len(call.args) == 1 and is_fixed(call.args[0]) for call in calls)


def is_fixed(event: ast.expr) -> bool:
    """Whether the event is a constant, or the one that an ``OutageLog`` was made with."""
    return isinstance(event, ast.Constant) or ast.unparse(event) == "self._event"


@pytest.mark.parametrize(("path", "test"), sorted(set(TEST.findall(PAGE))))
def test_every_test_that_holds_a_promise_exists(path: str, test: str) -> None:
    source = (ROOT / path).read_text()

    assert f"def {test}(" in source if test else "def test_" in source
