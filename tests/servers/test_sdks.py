"""The real SDKs send to the running service: each enqueued call is stored exactly once."""

from typing import Any

import pytest
from rudderstack.analytics.client import Client as RudderClient
from segment.analytics.client import Client as SegmentClient

from tests.servers.processes import Service, Tenant
from tests.servers.sdk_proxy import proxy

SDKS = (SegmentClient, RudderClient)


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
