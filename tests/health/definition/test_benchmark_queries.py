"""Benchmarks and definitions are kept for the scores that they explain."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.pagination import Paging
from app.features.values import FeatureMap, FeatureSpec, ReachSource
from app.health.definition import benchmark_queries as queries
from app.health.definition.benchmark import Benchmark as FittedBenchmark
from app.health.definition.benchmark_queries import StoredBenchmarks
from app.health.definition.entitlement import Offer
from app.health.definition.score_definition import Definition
from app.tables import Benchmark
from tests import factories
from tests.health.builders import FIXED, SCORECARD, simple_benchmark
from tests.health.crowd import NOW

MARCH, LATER = date(2026, 3, 1), NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def workspaces(session: Session) -> None:
    for name in ("acme", "other"):
        factories.workspace(session, name)


def store(
    session: Session,
    fitted: FittedBenchmark = FIXED,
    *,
    month: date = MARCH,
    meaning: str = "m",
    workspace_id: str = "acme",
    provisional: bool = False,
) -> StoredBenchmarks:
    stored = queries.upsert_benchmarks(
        session,
        workspace_id,
        {"": fitted},
        month=month,
        meaning=meaning,
        provisional=provisional,
        now=NOW,
    )
    return replace(stored, is_new=False)


def current(session: Session, meaning: str = "m", now: datetime = NOW) -> StoredBenchmarks | None:
    return queries.find_benchmarks(session, "acme", month=MARCH, meaning=meaning, now=now)


def rows(session: Session) -> Sequence[Benchmark]:
    session.expire_all()
    return session.scalars(select(Benchmark).order_by(Benchmark.id)).all()


def test_a_benchmark_is_read_as_it_was_put_to_the_last_digit(session: Session) -> None:
    stored = store(session)

    assert current(session) == stored
    assert stored.benchmarks == {"": FIXED}
    assert stored.id.startswith("2026-03-")


def test_of_a_month_the_newest_holds_and_the_older_one_is_kept(session: Session) -> None:
    first, second = store(session), store(session, simple_benchmark())

    assert first.id != second.id
    assert current(session) == second
    assert {row.id: row.current for row in rows(session)} == {first.id: False, second.id: True}
    kept = queries.get_benchmark(session, "acme", first.id)
    assert queries.StoredBenchmarks.of(kept).benchmarks == first.benchmarks


def test_the_same_benchmark_has_the_same_id_and_holds_again(session: Session) -> None:
    first = store(session)
    store(session, simple_benchmark())

    assert store(session).id == first.id
    assert len(rows(session)) == 2
    assert current(session) == first


def test_months_and_meanings_do_not_get_in_each_others_way(session: Session) -> None:
    march, april = store(session), store(session, month=date(2026, 4, 1))
    other = store(session, meaning="other")

    assert len({march.id, april.id, other.id}) == 3
    assert all(row.current for row in rows(session))
    assert current(session, meaning="other") == other


def test_a_provisional_one_holds_on_its_day_only(session: Session) -> None:
    store(session, provisional=True)

    assert current(session) is not None
    assert current(session, now=LATER) is None


@pytest.mark.parametrize(("since", "holds"), [(date(2026, 2, 28), False), (MARCH, True)])
def test_history_that_arrives_late_drops_what_it_would_change_and_keeps_it_for_explanations(
    session: Session, since: date, *, holds: bool
) -> None:
    stored = store(session)
    store(session, workspace_id="other")

    queries.retire_benchmarks_since(session, "acme", since=since)

    assert (current(session) == stored) == holds
    assert {row.workspace_id: row.current for row in rows(session)} == {
        "acme": holds,
        "other": True,
    }


def test_another_workspaces_benchmark_is_not_found(session: Session) -> None:
    theirs = store(session, workspace_id="other")

    assert current(session) is None
    with pytest.raises(NotFoundError):
        queries.get_benchmark(session, "acme", theirs.id)


def test_benchmarks_are_listed_newest_month_first_and_page_by_page(session: Session) -> None:
    ids = {month: store(session, month=date(2026, month, 1)).id for month in (1, 2, 3)}
    second = store(session, simple_benchmark(), month=date(2026, 2, 1)).id
    expected = [ids[3], *sorted((ids[2], second)), ids[1]]

    page = queries.list_benchmarks(session, "acme", Paging(1, None))
    listed = [*page.rows]
    while page.next_cursor:
        page = queries.list_benchmarks(session, "acme", Paging(1, page.next_cursor))
        listed += page.rows

    assert [row.id for row in listed] == expected


def test_a_definition_is_kept_once_for_a_workspace(session: Session) -> None:
    lens = FeatureSpec(FeatureMap([]), ReachSource(), "USD", 28)
    said = Definition(1, SCORECARD, Offer({}, {}), lens, configured=False)
    for now in (NOW, LATER):
        queries.insert_definition(session, "acme", said, now=now)

    found = queries.find_definition(session, "acme", said.digest)

    assert found is not None
    assert found.digest == said.digest
    assert queries.find_definition(session, "other", said.digest) is None
