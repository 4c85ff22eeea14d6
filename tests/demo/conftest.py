import pytest

from app.demo.simulate import World, generate_calls, simulate
from tests.demo.worlds import LAST_DAY, Days


@pytest.fixture(scope="session")
def world() -> World:
    return simulate(seed=3, last_day=LAST_DAY, accounts=60, days=120)


@pytest.fixture(scope="session")
def days(world: World) -> Days:
    return list(generate_calls(world, seed=3))


@pytest.fixture(scope="session")
def long_world() -> World:
    """Long enough for every cause to take effect."""
    return simulate(seed=5, last_day=LAST_DAY, accounts=80, days=400)


@pytest.fixture(scope="session")
def long_days(long_world: World) -> Days:
    return list(generate_calls(long_world, seed=5))


@pytest.fixture(scope="session")
def full_world() -> World:
    return simulate(seed=1, last_day=LAST_DAY)
