"""The real SDKs send to the running service: each enqueued call is stored exactly once."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from rudderstack.analytics.client import Client as RudderClient
from segment.analytics.client import Client as SegmentClient

from tests.servers.processes import Service, Tenant

SDKS = (SegmentClient, RudderClient)


@dataclass
class ProxyLog:
    """``requests``: the number received. ``answered``: the statuses that the service returned."""

    url: str = ""
    requests: int = 0
    answered: list[int] = field(default_factory=list)


@contextmanager
def proxy(service: Service, *, refuse: int = 0, hang_up: int = 0) -> Iterator[ProxyLog]:
    """Run a proxy that answers the first requests with 503, or forwards them without an answer."""
    seen = ProxyLog()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.requests += 1
            number = seen.requests
            if number <= refuse:
                self._answer(503, b"{}")
                return
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
            connection.request("POST", self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            seen.answered.append(answer.status)
            if number <= hang_up:
                self.close_connection = True
                return
            self._answer(answer.status, content)

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Retry-After", "1")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send_eight(sdk: type[Any], url: str, key: str) -> list[object]:
    """Make eight calls, wait until they are delivered and return the errors."""
    errors: list[object] = []
    client = sdk(key, host=url, on_error=lambda error, _: errors.append(error), max_retries=8)
    group = {"groupId": "acct"}
    client.identify("ada", {"email": "ada@acct.example"})
    client.group("ada", "acct", {"name": "Acct", "mrr": 99.5})
    client.track("ada", "Report Exported", {"rows": 3}, context=dict(group))
    client.track("ada", "Report Shared")
    client.page("ada", "Docs", "Intro")
    client.screen("ada", "App", "Home")
    client.alias("visitor", "ada")
    client.track(anonymous_id="visitor", event="Pricing Opened")
    client.flush()
    client.shutdown()
    return errors


def assert_eight_are_stored(tenant: Tenant) -> None:
    assert len(tenant.stored()) == 8
    kinds = tenant.read(
        "SELECT kind, count(*) FROM event WHERE workspace_id = :workspace_id GROUP BY 1"
    )
    assert {kind: count for kind, count in kinds if kind != "track"} == dict.fromkeys(
        ("identify", "group", "page", "screen", "alias"), 1
    )
    assert tenant.counted() == 5
    assert tenant.read(
        "SELECT name, mrr_cents FROM account JOIN subscription USING (workspace_id, account_id)"
        " WHERE workspace_id = :workspace_id"
    ) == [("Acct", 9950)]


@pytest.mark.parametrize("sdk", SDKS)
def test_an_sdk_delivers_all_its_calls(service: Service, tenant: Tenant, sdk: type[Any]) -> None:
    assert send_eight(sdk, service.url, tenant.key) == []

    assert_eight_are_stored(tenant)


@pytest.mark.parametrize("sdk", SDKS)
def test_an_sdk_retries_after_503_and_everything_is_stored_once(
    service: Service, tenant: Tenant, sdk: type[Any]
) -> None:
    with proxy(service, refuse=2) as between:
        assert send_eight(sdk, between.url, tenant.key) == []

    assert between.requests > len(between.answered) == between.requests - 2
    assert_eight_are_stored(tenant)


@pytest.mark.parametrize("sdk", SDKS)
def test_an_sdk_without_an_answer_retries_and_nothing_is_stored_twice(
    service: Service, tenant: Tenant, sdk: type[Any]
) -> None:
    with proxy(service, hang_up=1) as between:
        assert send_eight(sdk, between.url, tenant.key) == []

    assert len(between.answered) >= 2
    assert set(between.answered) == {200}
    assert_eight_are_stored(tenant)


@pytest.mark.parametrize("sdk", SDKS)
def test_an_sdk_gives_up_at_once_if_its_key_is_wrong(
    service: Service, tenant: Tenant, sdk: type[Any]
) -> None:
    [error] = send_eight(sdk, service.url, "nonsense")

    assert (error.status, error.code) == (401, "invalid_write_key")  # type: ignore[attr-defined]
    assert tenant.stored() == set()
