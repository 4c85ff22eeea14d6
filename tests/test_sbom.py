"""The list of what the service is made of (``make sbom``) is its pinned requirements."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;]+)")


def options() -> list[str]:
    """Return the options of ``make sbom``."""
    [line] = re.findall(
        r"^SBOM := \$\(RUN\) cyclonedx_py (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    return [*str(line).split(), "--validate"]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    command = [sys.executable, "-m", "cyclonedx_py", *options(), "requirements.txt"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)  # noqa: S603 - our own tool
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_sbom_lists_exactly_the_pins_of_the_service(document: dict[str, Any]) -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = {pin[1]: pin[2] for line in lines if (pin := PIN.match(line))}
    listed = {each["name"]: each["version"] for each in document["components"]}

    assert pins
    assert listed == pins


def test_the_sbom_names_the_service_and_the_hashes_of_every_component(
    document: dict[str, Any],
) -> None:
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["name"] == "customer-health"
    for component in document["components"]:
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
        [source] = component["externalReferences"]
        assert source["hashes"]
