"""``compose.yaml`` and ``Dockerfile``, as far as they can be checked without Docker."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from app.core.settings import Settings
from app.serving import DRAIN_SECONDS

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "api", "worker")
PAGE = (ROOT / "docs" / "operations.md").read_text()


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


@pytest.mark.parametrize("name", OURS)
def test_every_process_gets_the_settings_of_the_file(name: str) -> None:
    """``environment`` wins over ``env_file``: it may fix only what belongs to the containers."""
    assert SERVICES[name]["env_file"] == [{"path": ".env", "required": False}]
    assert set(SERVICES[name]["environment"]) == {
        "HEALTH_DATABASE_URL",
        "HEALTH_ENCRYPTION_KEY",
        "HEALTH_EMBED_WORKER",
        "HEALTH_HOST",
        "HEALTH_PORT",
        "HEALTH_DATA_DIR",
        "HEALTH_METRICS_PORT",
    }


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_the_containers_are_valid(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = {
        "POSTGRES_PASSWORD": "secret",
        "HEALTH_ENCRYPTION_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
    }
    for variable, value in SERVICES[name]["environment"].items():
        filled = re.sub(r"\$\{(\w+)[^}]*\}", lambda found: defaults[found[1]], value)
        monkeypatch.setenv(variable, filled)

    settings = Settings(_env_file=None)

    assert (settings.port, settings.metrics_port, settings.runs_worker) == (8000, 9100, False)


def test_metrics_are_not_published() -> None:
    published = [port for name in SERVICES for port in SERVICES[name].get("ports", [])]

    assert published == ["${PUBLISHED_PORT:-8000}:8000"]
    assert SERVICES["api"]["environment"]["HEALTH_METRICS_PORT"] == "9100"


@pytest.mark.parametrize("name", ["api", "worker"])
def test_processes_have_more_time_to_stop_than_they_need(name: str) -> None:
    """Requests drain for 10 s, then a worker beside the API is awaited for 10 s."""
    assert seconds(SERVICES[name]["stop_grace_period"]) > 2 * DRAIN_SECONDS


def test_the_page_says_how_to_start_and_how_to_make_a_workspace() -> None:
    assert 'docker compose exec api customer-health workspace create "Acme Inc"' in PAGE
    assert "`PUBLISHED_PORT`" in PAGE


def test_the_image_has_what_the_commands_need() -> None:
    """The migrations lie in the working directory: commands look for them there."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()

    assert lines.index("WORKDIR /srv") < lines.index("COPY alembic.ini ./")
    assert "COPY migrations migrations" in lines
    assert 'ENTRYPOINT ["customer-health"]' in lines
    assert "STOPSIGNAL SIGTERM" in lines
