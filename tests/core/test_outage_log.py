from structlog.testing import capture_logs

from app.core.logs import MAX_REASONS, OutageLog


def test_an_outage_is_logged_when_it_begins_and_once_a_minute() -> None:
    """At 0, 1, 59, 60, 61 and 200 s: lines at 0, 60 (2 more before it) and 200 (1 before it)."""
    times = iter([0.0, 1.0, 59.0, 60.0, 61.0, 200.0])
    outages = OutageLog("answered_503", now=lambda: next(times), host="db:5432/health")
    with capture_logs() as lines:
        for _ in range(6):
            outages.report(code="storage_unavailable", reason="refused")

    assert [line["repeated"] for line in lines] == [0, 2, 1]
    assert lines[0] == {
        "event": "answered_503",
        "log_level": "warning",
        "host": "db:5432/health",
        "code": "storage_unavailable",
        "reason": "refused",
        "repeated": 0,
    }


def test_each_reason_has_lines_of_its_own() -> None:
    outages = OutageLog("database_error", now=lambda: 5.0)
    with capture_logs() as lines:
        for reason in ("refused", "starting up", "refused", "starting up"):
            outages.report(reason=reason)

    assert [line["reason"] for line in lines] == ["refused", "starting up"]


def test_many_reasons_need_no_more_memory() -> None:
    outages = OutageLog("database_error", now=lambda: 5.0)
    with capture_logs() as lines:
        for number in range(3 * MAX_REASONS):
            outages.report(reason=str(number))

    assert len(lines) == 3 * MAX_REASONS
    assert len(outages._lines) <= MAX_REASONS  # noqa: SLF001
