from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.core.postgres import partitions
from app.tables import DailyUsage, Event
from tests import factories

TABLES = ("daily_reach", "daily_usage", "event")
TODAY = date(2026, 3, 18)


def list_months(session: Session, table: str) -> list[str]:
    names = session.scalars(
        text(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = to_regclass(:name) ORDER BY 1"
        ),
        {"name": table},
    )
    return [name.removeprefix(f"{table}_") for name in names]


def at(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC)


def partitions_of_rows(session: Session, table: str) -> list[str]:
    names = session.scalars(text(f"SELECT tableoid::regclass::text FROM {table}"))  # noqa: S608
    return [name.removeprefix(f"{table}_") for name in names]


def event(session: Session, client_at: datetime, received_at: datetime) -> None:
    session.add(
        Event(
            workspace_id="acme",
            client_at=client_at,
            message_id="m",
            occurred_at=client_at,
            received_at=received_at,
            kind="track",
            name="Export",
            key_id="k",
            fingerprint=1,
            properties={},
        )
    )
    session.flush()


@pytest.mark.parametrize("table", TABLES)
def test_months_are_created_ahead(session: Session, table: str) -> None:
    partitions.create_upcoming(session, today=TODAY)

    assert list_months(session, table) == ["default", "p202602", "p202603", "p202604", "p202605"]


@pytest.mark.parametrize("partition", ["default", "p202603"])
def test_the_first_rows_change_no_brin_summary(committed: SessionFactory, partition: str) -> None:
    """It needs its own database: rolled back and vacuumed rows of other tests leave a summary."""
    with committed() as session:
        partitions.create(session, date(2026, 3, 1), date(2026, 3, 1))
        day = date(2026, 3, 18) if partition != "default" else date(2020, 1, 1)
        event(session, at(day), at(day))
        assert partitions_of_rows(session, "event") == [partition]

        index = f"event_{partition}_message_id_idx"
        newly_summarised = session.scalar(
            text("SELECT brin_summarize_range(:index, 0)"), {"index": index}
        )

    assert newly_summarised == 1, "the range had no summary"


def test_creating_them_again_changes_nothing(session: Session) -> None:
    partitions.create_upcoming(session, today=TODAY)
    before = list_months(session, "event")

    partitions.create_upcoming(session, today=TODAY)

    assert list_months(session, "event") == before


def test_rows_go_to_their_month_and_others_to_the_default_partition(session: Session) -> None:
    partitions.create_upcoming(session, today=TODAY)

    factories.usage(session, date(2026, 2, 28))
    factories.usage(session, date(2026, 3, 1))
    factories.usage(session, date(2019, 7, 1))

    assert sorted(partitions_of_rows(session, "daily_usage")) == ["default", "p202602", "p202603"]


def test_a_month_with_rows_in_the_default_partition_is_not_created(session: Session) -> None:
    factories.usage(session, date(2026, 3, 31))

    partitions.create_upcoming(session, today=TODAY)

    assert "p202603" not in list_months(session, "daily_usage")
    assert "p202604" in list_months(session, "daily_usage")
    assert "p202603" in list_months(session, "daily_reach")
    assert partitions_of_rows(session, "daily_usage") == ["default"]


@pytest.mark.parametrize(
    ("first", "last", "starts"),
    [
        (date(2026, 1, 31), date(2026, 1, 31), ["2026-01-01"]),
        (date(2025, 12, 31), date(2026, 1, 1), ["2025-12-01", "2026-01-01"]),
        (date(2024, 2, 1), date(2024, 3, 31), ["2024-02-01", "2024-03-01"]),
        (date(2026, 2, 1), date(2026, 1, 31), []),
    ],
)
def test_months_cover_a_range_of_days(first: date, last: date, starts: list[str]) -> None:
    months = list(partitions.months(first, last))

    assert [str(start) for start, _ in months] == starts
    assert all(end == (start + timedelta(days=31)).replace(day=1) for start, end in months)


def test_a_month_past_retention_is_dropped_with_its_rows(session: Session) -> None:
    partitions.create(session, date(2025, 1, 1), date(2025, 2, 1))
    factories.usage(session, date(2025, 1, 31))

    dropped = partitions.drop_old(session, "daily_usage", before=at(date(2025, 3, 1)))

    assert dropped == ["daily_usage_p202501", "daily_usage_p202502"]
    assert (list_months(session, "daily_usage"), partitions_of_rows(session, "daily_usage")) == (
        ["default"],
        [],
    )


@pytest.mark.parametrize("before", [date(2025, 1, 1), date(2025, 1, 31), date(2024, 6, 1)])
def test_a_month_within_retention_stays(session: Session, before: date) -> None:
    partitions.create(session, date(2025, 1, 1), date(2025, 1, 1))

    assert partitions.drop_old(session, "event", before=at(before)) == []
    assert "p202501" in list_months(session, "event")


def test_a_month_of_old_days_with_a_recent_row_stays(session: Session) -> None:
    """Retention counts from the day on which a late event was received."""
    partitions.create(session, date(2025, 1, 1), date(2025, 1, 1))
    factories.usage(session, date(2025, 1, 5), known_on=date(2025, 9, 1))
    event(session, at(date(2025, 1, 5)), at(date(2025, 9, 1)))

    for table in ("daily_usage", "event"):
        assert partitions.drop_old(session, table, before=at(date(2025, 9, 1))) == []
        assert partitions.drop_old(session, table, before=at(date(2025, 9, 2))) == [
            f"{table}_p202501"
        ]


def test_old_rows_beside_newer_ones_are_deleted(session: Session) -> None:
    """In a month of its own, and in the default partition, which is never dropped."""
    partitions.create(session, date(2025, 1, 1), date(2025, 1, 1))
    for day in (date(2025, 1, 5), date(2019, 1, 1)):
        event(session, at(day), at(date(2025, 2, 1)))
        event(session, at(day + timedelta(days=1)), at(date(2025, 9, 1)))
        factories.usage(session, day, known_on=date(2025, 2, 1))
        factories.usage(session, day, known_on=date(2025, 9, 1))

    for table in ("daily_usage", "event"):
        assert partitions.drop_old(session, table, before=at(date(2025, 9, 1))) == []

    assert session.scalars(select(Event.received_at)).all() == [at(date(2025, 9, 1))] * 2
    assert session.scalars(select(DailyUsage.known_on)).all() == [date(2025, 9, 1)] * 2
    for table in ("daily_usage", "event"):
        partitions.drop_old(session, table, before=at(date(2025, 9, 2)))
        assert partitions_of_rows(session, table) == []
    assert "default" in list_months(session, "event")


def test_old_rows_are_deleted_in_pages(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "DELETED_ROWS", 2)
    for day in range(1, 6):
        event(session, at(date(2019, 1, day)), at(date(2025, 2, 1)))

    counts = []
    for _ in range(3):
        partitions.drop_old(session, "event", before=at(TODAY))
        counts.append(len(partitions_of_rows(session, "event")))

    assert counts == [3, 1, 0]
