"""The real CloudEvents client for Python sends to the running service."""

import httpx
import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from tests.servers.processes import Service, Tenant
from tests.servers.sdk_proxy import proxy

FORMS = {"structured": to_structured_event, "binary": to_binary_event}
FAULTS: dict[str, dict[str, int]] = {
    "nothing": {},
    "503": {"refuse": 1},
    "429": {"refuse": 1, "status": 429},
    "no answer": {"hang_up": 1},
}


def deliver(url: str, key: str, form: str, event: CloudEvent) -> dict[str, object]:
    """Send an event until it is accepted, as every sender does."""
    message = FORMS[form](event)
    while True:
        try:
            answer = httpx.post(
                f"{url}/api/v1/events",
                content=message.body,
                headers={**message.headers, "Authorization": f"Bearer {key}"},
                timeout=60,
            )
        except httpx.TransportError:
            continue
        if answer.status_code == 200:
            receipt: dict[str, object] = answer.json()
            return receipt


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("form", FORMS)
def test_every_event_is_stored_once(
    service: Service, tenant: Tenant, form: str, fault: str
) -> None:
    attributes = {"type": "report.exported", "source": "/app", "userid": "ada", "subject": "Łódź"}
    with proxy(service, **FAULTS[fault]) as between:
        for rows in range(3):
            deliver(between.url, tenant.key, form, CloudEvent(dict(attributes), {"rows": rows}))

    assert len(tenant.stored()) == 3
    assert tenant.counted() == 3
    assert tenant.read("SELECT account_id FROM account WHERE workspace_id = :workspace_id") == [
        ("Łódź",)
    ]


def test_two_events_of_one_dictionary_are_both_stored(service: Service, tenant: Tenant) -> None:
    """The client writes the id and the time into the dictionary: both events have them."""
    attributes = {"type": "report.exported", "source": "/app", "subject": "acme"}
    first, second = (CloudEvent(attributes, {"rows": rows}) for rows in (1, 2))
    assert first.get_id() == second.get_id()

    receipts = [deliver(service.url, tenant.key, "binary", each) for each in (first, second)]

    assert [receipt["accepted"] for receipt in receipts] == [1, 1]
    assert [receipt["warnings"] for receipt in receipts] == [0, 1]
    assert len(tenant.stored()) == 2
