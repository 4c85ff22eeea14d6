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
}
"""Ids, counts, states and names of classes; never a payload, a key, a name or an address."""


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
    assert all(len(call.args) == 1 and isinstance(call.args[0], ast.Constant) for call in calls)


@pytest.mark.parametrize(("path", "test"), sorted(set(TEST.findall(PAGE))))
def test_every_test_that_holds_a_promise_exists(path: str, test: str) -> None:
    source = (ROOT / path).read_text()

    assert f"def {test}(" in source if test else "def test_" in source
