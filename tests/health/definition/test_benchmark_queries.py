"""Benchmarks and definitions stay stored for the scores that name them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update
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
    ranking_digest: str = "m",
    workspace_id: str = "acme",
    provisional: bool = False,
) -> StoredBenchmarks:
    stored = queries.upsert_benchmarks(
        session,
        workspace_id,
        {"": fitted},
        month=month,
        ranking_digest=ranking_digest,
        provisional=provisional,
        now=NOW,
    )
    return replace(stored, is_new=False)


def current(
    session: Session, ranking_digest: str = "m", now: datetime = NOW
) -> StoredBenchmarks | None:
    return queries.find_benchmarks(
        session, "acme", month=MARCH, ranking_digest=ranking_digest, now=now
    )


def rows(session: Session) -> Sequence[Benchmark]:
    session.expire_all()
    return session.scalars(select(Benchmark).order_by(Benchmark.id)).all()


def test_a_benchmark_is_read_as_stored_to_the_last_digit(session: Session) -> None:
    stored = store(session)

    assert current(session) == stored
    assert stored.benchmarks == {"": FIXED}
    assert stored.id.startswith("2026-03-")


def test_the_newest_benchmark_of_a_month_is_current_and_older_ones_stay_stored(
    session: Session,
) -> None:
    first, second = store(session), store(session, simple_benchmark())

    assert first.id != second.id
    assert current(session) == second
    assert {row.id: row.current for row in rows(session)} == {first.id: False, second.id: True}
    retired = queries.get_benchmark(session, "acme", first.id)
    assert queries.StoredBenchmarks.from_row(retired).benchmarks == first.benchmarks


def test_an_equal_benchmark_has_the_same_id_and_becomes_current_again(session: Session) -> None:
    first = store(session)
    store(session, simple_benchmark())

    assert store(session).id == first.id
    assert len(rows(session)) == 2
    assert current(session) == first


def test_months_and_ranking_digests_are_independent(session: Session) -> None:
    march, april = store(session), store(session, month=date(2026, 4, 1))
    other = store(session, ranking_digest="other")

    assert len({march.id, april.id, other.id}) == 3
    assert all(row.current for row in rows(session))
    assert current(session, ranking_digest="other") == other


def test_a_provisional_benchmark_is_current_on_its_day_only(session: Session) -> None:
    store(session, provisional=True)

    assert current(session) is not None
    assert current(session, now=LATER) is None


@pytest.mark.parametrize(("since", "holds"), [(date(2026, 2, 28), False), (MARCH, True)])
def test_late_history_retires_the_benchmarks_it_would_change(
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


def test_a_definition_is_stored_once_per_workspace(session: Session) -> None:
    spec = FeatureSpec(FeatureMap([]), ReachSource(), "USD", 28)
    definition = Definition(1, SCORECARD, Offer({}, {}), spec, configured=False)
    for now in (NOW, LATER):
        queries.insert_definition(session, "acme", definition, now=now)

    found = queries.find_definition(session, "acme", definition.digest)

    assert found is not None
    assert found.digest == definition.digest
    assert queries.find_definition(session, "other", definition.digest) is None


def test_where_no_more_usage_is_counted_a_quarter_more_accounts_lead_to_another_fit(
    session: Session,
) -> None:
    stored = store(session)
    known = {"accounts_known": 4, "usage_rows": queries.MOST_USAGE_ROWS, "computed_at": NOW}
    session.execute(update(Benchmark).values(known))
    for number in range(4):
        factories.account(session, f"a{number}")
        factories.first_use(session, MARCH, account_id=f"a{number}")

    def check() -> Benchmark | None:
        return queries.check_benchmarks(session, "acme", ranking_digest="m", now=NOW)

    assert check() is None
    factories.account(session, "a4")
    factories.first_use(session, MARCH, account_id="a4")
    found = check()
    assert found is not None
    assert found.id == stored.id
