"""Ingest statistics equal what is stored, also after a kill."""

import signal

from tests.servers.processes import Service, Tenant, eventually
from tests.servers.writers import concurrent_writers

STATISTICS = """
SELECT coalesce(sum(received), 0), coalesce(sum(accepted), 0), coalesce(sum(duplicates), 0)
FROM (
    SELECT received, accepted, duplicates FROM ingest_hour WHERE workspace_id = :workspace_id
    UNION ALL
    SELECT received, accepted, duplicates FROM ingest_tally WHERE workspace_id = :workspace_id
) AS counts
"""


def read_statistics(tenant: Tenant) -> tuple[int, int, int]:
    [[received, accepted, duplicates]] = tenant.read(STATISTICS)
    return int(received), int(accepted), int(duplicates)


def test_after_a_kill_the_statistics_equal_the_stored_events(
    service: Service, tenant: Tenant
) -> None:
    with concurrent_writers(tenant, writers=4) as log:
        eventually(lambda: len(log.acknowledged) >= 20)
        assert service.end(signal.SIGKILL) == -signal.SIGKILL
        service.start()
        acknowledged = len(log.acknowledged)
        eventually(lambda: len(log.acknowledged) >= acknowledged + 20)

    received, accepted, duplicates = read_statistics(tenant)
    assert accepted == len(tenant.stored())
    assert received == accepted + duplicates
    assert received >= sum(receipt["received"] for receipt in log.receipts)


def test_without_a_kill_the_statistics_equal_the_sum_of_the_receipts(
    service: Service, tenant: Tenant
) -> None:
    service.ensure_running()
    with concurrent_writers(tenant, writers=4, batches=10) as log:
        pass

    names = ("received", "accepted", "duplicates")
    sums = tuple(sum(receipt[name] for receipt in log.receipts) for name in names)
    assert read_statistics(tenant) == sums
    assert sums[0] > 0
