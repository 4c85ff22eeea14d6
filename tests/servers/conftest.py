from collections.abc import Iterator

import pytest

from tests.servers.processes import Service, Tenant


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One running service for all tests in this folder."""
    service = Service(tmp_path_factory.mktemp("service"))
    service.start()
    yield service
    service.ensure_running()
    assert service.end() == 0


@pytest.fixture
def service(started: Service) -> Service:
    started.ensure_running()
    return started


@pytest.fixture
def tenant(service: Service) -> Tenant:
    return service.workspace()
