"""PostHog's real SDK for Python sends to the running service, in both forms of its protocol."""

import pytest
from posthog import Posthog

from tests.servers.processes import Service, Tenant
from tests.servers.sdk_proxy import proxy

MODES = ("v0", "v1")
FAULTS: dict[str, dict[str, int]] = {
    "nothing": {},
    "503": {"refuse": 1},
    "429": {"refuse": 1, "status": 429},
    "no answer": {"hang_up": 1},
}


def send_seven(url: str, key: str, mode: str, *, bad: bool = False) -> list[object]:
    """Make seven calls, wait until they are delivered and return the errors."""
    errors: list[object] = []
    client = Posthog(
        key,
        host=url,
        capture_mode=mode,
        gzip=mode == "v0",
        on_error=lambda error, _: errors.append(error),
        flush_interval=0.1,
    )
    groups = {"company": "acct"}
    client.set(distinct_id="ada", properties={"email": "ada@acct.example"})
    client.group_identify("company", "acct", {"name": "Acct", "mrr": 99.5})
    client.capture("Report Exported", distinct_id="ada", properties={"rows": 3}, groups=groups)
    client.capture("$pageview", distinct_id="ada", groups=groups)
    client.capture(
        "Pricing Opened",
        distinct_id="visitor",
        properties={"$process_person_profile": False},
        groups=groups,
    )
    client.alias(previous_id="visitor", distinct_id="ada")
    client.capture("x" * 201 if bad else "Report Shared", distinct_id="ada", groups=groups)
    client.shutdown()
    return errors


def assert_seven_are_stored(tenant: Tenant) -> None:
    assert len(tenant.stored()) == 7
    assert tenant.counted() == 4
    assert tenant.read(
        "SELECT name, mrr_cents FROM account JOIN subscription USING (workspace_id, account_id)"
        " WHERE workspace_id = :workspace_id"
    ) == [("Acct", 9950)]
    assert tenant.read(
        "SELECT anonymous_id, user_id FROM user_alias WHERE workspace_id = :workspace_id"
    ) == [("visitor", "ada")]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mode", MODES)
def test_everything_is_stored_once(service: Service, tenant: Tenant, mode: str, fault: str) -> None:
    with proxy(service, **FAULTS[fault]) as between:
        assert send_seven(between.url, tenant.key, mode) == []

    assert between.requests > (fault != "nothing")
    assert_seven_are_stored(tenant)


def test_the_newer_form_reports_a_quarantined_event(service: Service, tenant: Tenant) -> None:
    [error] = send_seven(service.url, tenant.key, "v1", bad=True)

    [(_, reason)] = error.drops  # type: ignore[attr-defined]
    assert reason.startswith("event_name_too_long: ")
    assert len(tenant.stored()) == 6


@pytest.mark.parametrize("mode", MODES)
def test_a_wrong_key_is_reported_at_once(service: Service, tenant: Tenant, mode: str) -> None:
    [error] = send_seven(service.url, "nonsense", mode)

    assert error.status == 401  # type: ignore[attr-defined]
    assert tenant.stored() == set()


def test_flags_are_off_and_break_nothing(service: Service, tenant: Tenant) -> None:
    client = Posthog(tenant.key, host=service.url)

    assert client.get_all_flags("ada") == {}
    client.shutdown()
