"""The real exporter of OpenTelemetry's SDK for Python sends log records to the running service."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import time_ns

import pytest
from opentelemetry._logs import Logger, LogRecord
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from tests.servers.processes import Service, Tenant
from tests.servers.sdk_proxy import proxy

RECORDED = time_ns()
FAULTS: dict[str, dict[str, int]] = {
    "nothing": {},
    "503": {"refuse": 1},
    "429": {"refuse": 1, "status": 429},
    "no answer": {"hang_up": 1},
}


@contextmanager
def exporting(url: str, key: str, compression: Compression) -> Iterator[Logger]:
    """A logger whose records are delivered at the end."""
    exporter = OTLPLogExporter(
        endpoint=f"{url}/v1/logs",
        headers={"Authorization": f"Bearer {key}"},
        compression=compression,
        timeout=60,
    )
    provider = LoggerProvider(resource=Resource.create({"service.name": "reports"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    yield provider.get_logger("exports")
    provider.shutdown()


def emit(logger: Logger, name: str | None, number: int) -> None:
    logger.emit(
        LogRecord(
            timestamp=RECORDED + number,
            event_name=name,
            body="text",
            attributes={"account.id": "acct", "user.id": "ada", "rows": number},
        )
    )


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_every_record_is_stored_once(
    service: Service, tenant: Tenant, compression: Compression, fault: str
) -> None:
    with (
        proxy(service, **FAULTS[fault]) as between,
        exporting(between.url, tenant.key, compression) as logger,
    ):
        for number in range(20):
            emit(logger, "report.exported", number)

    assert len(tenant.stored()) == 20
    assert tenant.counted() == 20
    assert tenant.read(
        "SELECT DISTINCT account_id, user_id, properties->>'service', properties->>'scope'"
        " FROM event WHERE workspace_id = :workspace_id"
    ) == [("acct", "ada", "reports", "exports")]


def test_records_without_an_event_name_are_quarantined_and_reported(
    service: Service, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        exporting(service.url, tenant.key, Compression.Gzip) as logger,
    ):
        emit(logger, "report.exported", 1)
        emit(logger, None, 2)

    assert len(tenant.stored()) == 1
    rows = tenant.read("SELECT code FROM quarantined_event WHERE workspace_id = :workspace_id")
    assert rows == [("missing_event_name",)]
