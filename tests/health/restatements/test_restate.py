"""Past days scored again: equal under the same version, numbered, never written twice."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.pagination import Paging
from app.health.definition.measures import CardMeasure, MetricSource, PercentileTransform
from app.health.definition.scorecard import Card, Scorecard
from app.health.restatements import restate
from app.health.scoring import queries, service
from app.health.versions import service as scorecard_service
from app.jobs import queries as job_queries
from app.jobs import service as jobs
from app.jobs.runner import JobRunner
from app.jobs.service import LostLeaseError
from app.tables import HealthHistory, Restatement
from app.workspaces.service import Actor
from tests.health.crowd import NOW, crowd, name_events

SINCE, UNTIL = date(2026, 2, 22), date(2026, 3, 9)
DAYS = [SINCE + timedelta(days=n) for n in range((UNTIL - SINCE).days + 1)]
Row = tuple[Any, ...]


@pytest.fixture
def ids(committed: SessionFactory) -> list[str]:
    """Accounts whose days were scored in order."""
    with transaction(committed) as session:
        found = crowd(session, range(1, 26))
        name_events(session, "Export", "Share")
    with transaction(committed) as session:
        for day in DAYS:
            service.refresh(session, "acme", found, as_of=day, now=NOW)
    return found


def history_rows(sessions: SessionFactory, restatement: int) -> dict[tuple[str, date], Row]:
    """Return the rows of one restatement by account and day; there is one for each."""
    with transaction(sessions) as session:
        rows = session.scalars(select(HealthHistory).filter_by(restatement=restatement)).all()
    found = {
        (row.account_id, row.as_of): (
            *(row.score, row.band, row.status, row.coverage, row.mrr_cents),
            row.details,
        )
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def request(sessions: SessionFactory, version: int = 1) -> Restatement:
    with transaction(sessions) as session:
        by = Actor("acme", "test", NOW)
        return restate.request_restatement(session, by, version, since=SINCE, until=UNTIL)


def run_jobs(sessions: SessionFactory) -> None:
    runner = JobRunner(sessions, {restate.KIND: restate.restate_page})
    while runner.step(NOW):
        pass


def activate_depth_alone(sessions: SessionFactory) -> int:
    measure = CardMeasure(
        name="depth", source=MetricSource(metric="depth"), transform=PercentileTransform()
    )
    with transaction(sessions) as session:
        card = Scorecard(default=Card(measures=[measure]))
        by = Actor("acme", "test", NOW)
        version = scorecard_service.draft(session, by, card).version
        scorecard_service.activate(session, by, version)
    return version


def listed_history(session: Session, *, original: bool) -> Sequence[HealthHistory]:
    paging = Paging(100, None)
    return queries.list_history(
        session, "acme", "a007", paging, since=SINCE, until=UNTIL, original=original
    ).rows


def test_under_the_same_version_history_is_equal_to_the_last_digit(
    committed: SessionFactory, ids: list[str]
) -> None:
    request(committed)
    run_jobs(committed)

    again = history_rows(committed, 1)
    assert again == history_rows(committed, 0)
    assert len(again) == len(ids) * len(DAYS)
    assert any(row[0] not in (None, 0) for row in again.values())
    assert any(row[-1]["trend"]["d7"] for row in again.values())


def test_accounts_in_several_pages_give_the_same_rows(
    committed: SessionFactory, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restate, "ACCOUNTS_PER_PAGE", 10)
    request(committed)
    run_jobs(committed)

    assert history_rows(committed, 1) == history_rows(committed, 0)
    assert len(history_rows(committed, 1)) == len(ids) * len(DAYS)


def test_under_another_version_rows_are_numbered_and_the_originals_stay(
    committed: SessionFactory, ids: list[str]
) -> None:
    before = history_rows(committed, 0)
    version = activate_depth_alone(committed)
    assert request(committed, version).number == 1
    run_jobs(committed)

    after = history_rows(committed, 1)
    assert history_rows(committed, 0) == before
    assert after.keys() == before.keys()
    assert len(after) == len(ids) * len(DAYS)
    for key, (score, *_, details) in after.items():
        [depth] = [each for each in before[key][-1]["measures"] if each["name"] == "depth"]
        assert [each["name"] for each in details["measures"]] == ["depth"]
        assert score == depth["score"]
        assert details["scorecard_version"] == version
    assert {score for score, *_ in after.values()} != {score for score, *_ in before.values()}
    with transaction(committed) as session:
        assert {row.restatement for row in listed_history(session, original=False)} == {1}
        assert {row.restatement for row in listed_history(session, original=True)} == {0}
        assert [row.as_of for row in listed_history(session, original=True)] == DAYS


def test_trends_of_a_restated_day_use_restated_days(
    committed: SessionFactory, ids: list[str]
) -> None:
    request(committed, activate_depth_alone(committed))
    run_jobs(committed)

    after = history_rows(committed, 1)
    for key in ids:
        score, *_, details = after[key, UNTIL]
        moved = score - after[key, UNTIL - timedelta(days=7)][0]
        assert details["trend"]["d7"] == pytest.approx(moved, abs=1e-4)


def test_a_page_without_recorded_progress_runs_again_and_leaves_its_rows_once(
    committed: SessionFactory, ids: list[str]
) -> None:
    request(committed)
    runner = JobRunner(committed, {restate.KIND: restate.restate_page})
    assert runner.step(NOW)
    killed = runner.job
    assert killed is not None
    killed = jobs.renew_lease(committed, killed, now=NOW)
    jobs.take_over(committed, "acme", killed.id, now=NOW)
    with pytest.raises(LostLeaseError):
        restate.restate_page(committed, killed, NOW)
    two_pages = 2 * restate.DAYS_PER_PAGE * len(ids)
    assert len(history_rows(committed, 1)) == two_pages
    with transaction(committed) as session:
        assert [row.restatement for row in listed_history(session, original=False)][-1] == 0

    later = NOW + jobs.LEASE * 2
    runner = JobRunner(committed, {restate.KIND: restate.restate_page})
    while runner.step(later):
        pass

    assert history_rows(committed, 1) == history_rows(committed, 0)
    with transaction(committed) as session:
        done = job_queries.get_job(session, "acme", killed.id)
        assert (done.state, done.progress["account_days"]) == ("done", len(ids) * len(DAYS))


def test_days_before_the_first_data_get_no_rows(committed: SessionFactory, ids: list[str]) -> None:
    with transaction(committed) as session:
        restate.request_restatement(
            session,
            Actor("acme", "test", NOW),
            1,
            since=date(2024, 12, 28),
            until=date(2025, 1, 3),
        )
    run_jobs(committed)

    days = {day for _, day in history_rows(committed, 1)}
    assert days == {date(2025, 1, 1), date(2025, 1, 2), date(2025, 1, 3)}
    assert len(history_rows(committed, 1)) == 3 * len(ids)
