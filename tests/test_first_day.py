"""The first day: the history of accounts is sent live, and they have scores at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.tables import AuditEntry, Benchmark, HealthScore
from app.worker import Worker
from tests.conftest import NOW, SETTINGS

ACCOUNTS = [f"a{number:02}" for number in range(60)]
HISTORY = range(60, 0, -3)
"""How many days ago the events of each account happened."""


@dataclass
class Time:
    """A clock that tests move."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class FirstDay:
    client: TestClient
    worker: Worker
    session: Session
    time: Time = field(default_factory=Time)

    def send(self, account_ids: Iterable[str], days: Iterable[int] = HISTORY) -> None:
        events = [
            {
                "message_id": f"{key}-{days_ago}-{number}",
                "event": ("Export", "Share")[number % 2],
                "account_id": key,
                "user_id": f"u{number}-{key}",
                "timestamp": (NOW - timedelta(days=days_ago)).isoformat(),
            }
            for days_ago in days
            for key in account_ids
            for number in range(1 + int(key[1:]) % 5)
        ]
        for start in range(0, len(events), 500):
            answer = self.client.post("/api/v1/events", json=events[start : start + 500])
            assert answer.status_code == 200, answer.text

    def work(self, seconds: int = 20) -> None:
        """Let seconds pass, then run the worker's functions until nothing is left to do."""
        self.time.now += timedelta(seconds=seconds)
        self.worker.refit_benchmarks()
        while self.worker.refresh():
            pass
        self.session.expire_all()

    def scored(self) -> int:
        known = select(func.count()).where(HealthScore.score.is_not(None))
        return int(self.session.scalar(known) or 0)

    def fits(self) -> int:
        built = select(func.count()).where(AuditEntry.action == "benchmark.built")
        return int(self.session.scalar(built) or 0)

    def benchmark(self) -> Benchmark:
        return self.session.scalars(select(Benchmark).where(Benchmark.current)).one()


@pytest.fixture
def day(client: TestClient, session: Session, sessions: SessionFactory) -> FirstDay:
    time = Time()
    day = FirstDay(client, Worker(sessions, SETTINGS, time), session, time)
    for key in ACCOUNTS:
        body = {"name": key, "started_on": "2025-09-01"}
        assert client.put(f"/api/v1/accounts/{key}", json=body).status_code in {200, 201}
    return day


def test_accounts_have_scores_within_a_minute_of_their_history(day: FirstDay) -> None:
    """The first fit sees two accounts; 40 seconds after the last event all 60 have a score."""
    day.send(ACCOUNTS[:2])
    day.work(1)
    assert (day.benchmark().config[""]["accounts"] < 20, day.scored()) == (True, 0)

    day.send(ACCOUNTS[2:])
    day.work(2)
    day.work()
    day.work()

    assert day.time.now - NOW < timedelta(minutes=1)
    assert day.scored() == len(ACCOUNTS)
    assert day.benchmark().config[""]["accounts"] == len(ACCOUNTS)
    statuses = {
        day.client.get(f"/api/v1/accounts/{key}/health").json()["status"] for key in ACCOUNTS
    }
    assert statuses == {"ok"}


def test_the_number_of_fits_is_bounded_and_quiet_time_needs_none(day: FirstDay) -> None:
    for start in range(0, 60, 2):
        day.send(ACCOUNTS[start : start + 2])
        day.work(15)
    grown = day.fits()
    assert day.scored() == len(ACCOUNTS)
    assert grown < 30

    benchmark = day.benchmark().id
    for _ in range(10):
        day.work()

    assert (day.fits(), day.benchmark().id) == (grown, benchmark)


def test_a_history_sent_day_by_day_ends_with_the_benchmark_of_all_of_it(day: FirstDay) -> None:
    """The counts of all accounts grow: the number of accounts does not tell it."""
    for days_ago in HISTORY:
        day.send(ACCOUNTS, [days_ago])
        day.work(5)
    day.work()
    fitted = day.benchmark().usage_rows

    assert day.scored() == len(ACCOUNTS)
    assert fitted is not None
    assert fitted >= 0.8 * 20 * sum(1 + number % 5 for number in range(60))


def test_a_history_sent_day_by_day_leaves_no_alert_about_its_older_half(day: FirstDay) -> None:
    """All accounts were used yesterday, though for a while their last use was 60 days ago."""
    day.work(1)
    for days_ago in (60, 30, 1):
        day.send(ACCOUNTS, [days_ago])
        day.work(5)

    alerts = day.client.get("/api/v1/alerts?rule=no_use&limit=100").json()["items"]
    assert [each["account_id"] for each in alerts] == []


def test_a_check_within_seconds_of_the_last_one_does_nothing(day: FirstDay) -> None:
    day.send(ACCOUNTS[:2])
    day.work(1)
    first = day.benchmark().id
    day.send(ACCOUNTS[2:])

    day.work(14)
    assert day.benchmark().id == first
    day.work(1)
    assert day.benchmark().id != first


def test_scores_name_the_benchmark_that_they_were_computed_with(day: FirstDay) -> None:
    day.send(ACCOUNTS[:2])
    day.work(1)
    first = day.benchmark().id
    day.send(ACCOUNTS[2:])
    day.work()

    named = {row.details["benchmark_id"] for row in day.session.scalars(select(HealthScore)).all()}
    assert named == {day.benchmark().id}
    assert day.client.get(f"/api/v1/benchmarks/{first}").json()["current"] is False
