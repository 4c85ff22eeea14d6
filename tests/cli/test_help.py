"""The help of each command ends with an example that can be parsed."""

import re
import shlex

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from app.cli import app
from app.cli.examples import EXAMPLES
from tests.test_docs import commands


@pytest.mark.parametrize("command", commands())
def test_the_help_of_a_command_has_an_example(command: str) -> None:
    answer = CliRunner().invoke(app, [*command.split(), "--help"])

    assert f"Example: {EXAMPLES[command]}" in " ".join(answer.output.split())


@pytest.mark.parametrize("command", EXAMPLES)
def test_an_example_has_options_of_its_command(command: str) -> None:
    words = shlex.split(EXAMPLES[command])
    arguments = words[words.index("app") + 1 :]
    found = get_command(app)
    for name in command.split():
        assert arguments.pop(0) == name
        found = found.commands[name]  # type: ignore[attr-defined]
    options = {option for parameter in found.params for option in parameter.opts}

    assert {word for word in arguments if re.match("--", word)} <= options
