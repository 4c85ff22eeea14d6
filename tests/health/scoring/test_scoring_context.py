from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.features.queries import list_default_product_features
from app.health.definition.benchmark import Measure, Normalizer
from app.health.scoring import scoring_context
from app.health.scoring.assess import ScoringContext
from app.health.tables import Benchmark
from app.tables import Account, DailyUsage, FirstUse, ProductFeature, Subscription, User
from tests import factories
from tests.health.builders import AS_OF
from tests.health.crowd import NOW, crowd, name_events
from tests.lock_waits import wait_until_blocked

LATER = NOW + timedelta(hours=3)
TOMORROW = NOW + timedelta(days=1)
NEXT_MONTH = NOW + timedelta(days=31)


def load(session: Session, now: datetime = NOW) -> ScoringContext:
    factories.workspace(session)
    return scoring_context.load_context(session, "acme", as_of=now.date(), now=now)


def stored_benchmarks(session: Session) -> Sequence[Benchmark]:
    session.expire_all()
    return session.scalars(select(Benchmark).order_by(Benchmark.month, Benchmark.computed_at)).all()


def current_benchmarks(session: Session) -> Sequence[Benchmark]:
    return [row for row in stored_benchmarks(session) if row.current]


def test_a_benchmark_is_built_once_for_the_month(session: Session) -> None:
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")

    first = load(session)
    crowd(session, range(26, 50))
    again = load(session, TOMORROW)

    assert again == first
    assert [(row.computed_at, row.provisional) for row in stored_benchmarks(session)] == [
        (NOW, False)
    ]
    assert first.benchmarks[""].accounts == 25
    assert first.benchmarks[""].normalizer is Normalizer.WORKSPACE
    assert set(first.benchmarks[""].measures) == {"breadth", "depth", "reach"}


def test_a_new_month_has_a_new_benchmark_and_the_old_one_stays_stored(session: Session) -> None:
    crowd(session, range(1, 26))
    first = load(session)

    second = load(session, NEXT_MONTH)

    assert (first.month, second.month) == (date(2026, 3, 1), date(2026, 4, 1))
    assert [row.month for row in stored_benchmarks(session)] == [first.month, second.month]
    assert load(session) == first


@pytest.mark.parametrize(("day", "counts"), [(date(2026, 2, 10), True), (date(2026, 3, 2), False)])
def test_the_pool_consists_of_the_last_month_ends_and_not_of_the_day(
    session: Session, day: date, *, counts: bool
) -> None:
    """A price that rises a thousandfold this month does not change the pool."""
    crowd(session, range(1, 26))
    before = load(session).benchmarks
    session.execute(delete(Benchmark))

    factories.subscription(
        session, "a001", mrr_cents=10**9, subscription_id="new", starts_on=day, known_on=day
    )

    assert (load(session).benchmarks != before) == counts


@pytest.mark.parametrize(("size", "own"), [(19, []), (20, ["smb"])])
def test_a_segment_has_its_own_benchmark_from_twenty_accounts(
    session: Session, size: int, own: list[str]
) -> None:
    crowd(session, range(1, size + 1), segment="smb")
    crowd(session, range(50, 55), segment="large")

    load(session)

    [row] = stored_benchmarks(session)
    assert sorted(row.config) == ["", *own]


def test_with_too_few_accounts_a_benchmark_is_provisional_and_fitted_each_day(
    session: Session,
) -> None:
    crowd(session, range(1, 6))

    assert load(session).benchmarks[""].normalizer is Normalizer.SHARE
    load(session, LATER)
    assert [(row.computed_at, row.provisional) for row in stored_benchmarks(session)] == [
        (NOW, True)
    ]

    crowd(session, range(6, 30))
    assert load(session, TOMORROW).benchmarks[""].normalizer is Normalizer.WORKSPACE
    assert [(row.computed_at, row.provisional) for row in current_benchmarks(session)] == [
        (TOMORROW, False)
    ]
    assert [row.computed_at for row in stored_benchmarks(session)] == [NOW, TOMORROW], (
        "the old one stays stored"
    )


def test_without_month_ends_a_benchmark_is_fitted_to_the_day_and_provisional(
    session: Session,
) -> None:
    """The accounts were imported today: nothing is known of the months before."""
    crowd(session, range(1, 26), days=[AS_OF])
    session.execute(update(FirstUse).values(day=AS_OF, known_on=AS_OF))
    session.execute(update(Subscription).values(known_on=AS_OF))

    benchmark = load(session).benchmarks[""]

    assert (benchmark.accounts, benchmark.normalizer) == (25, Normalizer.WORKSPACE)
    assert [row.provisional for row in stored_benchmarks(session)] == [True]


def test_an_empty_workspace_has_a_benchmark_without_measures(session: Session) -> None:
    benchmark = load(session).benchmarks[""]

    assert (benchmark.accounts, benchmark.measures) == (0, {})
    assert [row.provisional for row in stored_benchmarks(session)] == [True]


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.add(
            ProductFeature(workspace_id="acme", key="x", name="X", event_names=["Export"])
        ),
        lambda session: factories.scorecard(session, {"window_days": 14}),
        lambda session: setattr(factories.workspace(session), "reach", "property"),
        lambda session: setattr(factories.workspace(session), "base_currency", "EUR"),
    ],
    ids=["product feature", "scorecard", "reach", "currency"],
)
def test_changed_ranking_settings_need_another_benchmark(
    session: Session, change: Callable[[Session], None]
) -> None:
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    before = load(session)

    change(session)
    session.flush()
    after = load(session, LATER)

    assert after != before
    assert {row.computed_at for row in stored_benchmarks(session)} == {NOW, LATER}


def test_other_settings_need_no_other_benchmark(session: Session) -> None:
    crowd(session, range(1, 26))
    load(session)

    factories.workspace(session).name = "Acme and daughters"
    session.flush()
    load(session, LATER)

    assert [row.computed_at for row in stored_benchmarks(session)] == [NOW]


def test_named_product_features_replace_the_default_ones(session: Session) -> None:
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    assert load(session).definition.offer.weights == {"Export": 1.0, "Share": 1.0}

    session.add(
        ProductFeature(workspace_id="acme", key="x", name="X", event_names=["Share"], weight=3.0)
    )
    session.flush()

    assert load(session).definition.offer.weights == {"x": 3.0}
    assert load(session).definition.configured


def test_default_product_features_are_fixed_with_the_benchmark(session: Session) -> None:
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    load(session)

    crowd(session, range(30, 60), event_names=["Novelty"])
    name_events(session, "Novelty")

    assert set(load(session, TOMORROW).definition.offer.weights) == {"Export", "Share"}
    assert set(load(session, NEXT_MONTH).definition.offer.weights) == {"Export", "Share", "Novelty"}


def defaults(session: Session, as_of: date = AS_OF) -> tuple[str, ...]:
    return list_default_product_features(session, "acme", as_of=as_of, window_days=28)


def test_a_default_product_feature_is_used_by_three_accounts(session: Session) -> None:
    crowd(session, range(1, 4), event_names=["Export", "Share"])
    name_events(session, "Export", "Share", "Rare")
    for account_id in ("a001", "a002"):
        factories.usage(session, AS_OF, account_id=account_id, event_name="Rare")

    assert defaults(session) == ("Export", "Share")

    factories.usage(session, AS_OF, account_id="a003", event_name="Rare")
    assert defaults(session) == ("Export", "Rare", "Share")


@pytest.mark.parametrize(("accounts", "found"), [(80, True), (81, False)])
def test_a_default_product_feature_is_used_by_five_percent(
    session: Session, accounts: int, *, found: bool
) -> None:
    crowd(session, range(1, accounts + 1), days=[AS_OF], event_names=["Export"])
    name_events(session, "Export", "Rare")
    for number in range(1, 5):
        factories.usage(session, AS_OF, account_id=f"a{number:03}", event_name="Rare")

    assert ("Rare" in defaults(session)) == found


def test_page_views_are_never_product_features(session: Session) -> None:
    crowd(session, range(1, 10), event_names=["Export", "Viewed home"])
    name_events(session, "Export")
    name_events(session, "Viewed home", is_view=True)

    assert defaults(session) == ("Export",)


def test_at_most_two_hundred_default_product_features_are_taken(session: Session) -> None:
    names = [f"Event {number:03}" for number in range(201)]
    crowd(session, range(1, 4), days=[AS_OF], event_names=names)
    name_events(session, *names)

    assert defaults(session) == tuple(names[:200])


def test_events_of_excluded_accounts_and_users_are_no_product_features(session: Session) -> None:
    crowd(session, range(1, 4), event_names=["Export", "Share"])
    name_events(session, "Export", "Share", "Debug")
    for number in range(1, 4):
        factories.usage(session, AS_OF, account_id=f"a{number:03}", event_name="Debug", user_id="o")
    assert "Debug" in defaults(session)

    session.add(User(workspace_id="acme", user_id="o", excluded=True))
    session.flush()
    assert defaults(session) == ("Export", "Share")

    session.get_one(Account, ("acme", "a001")).excluded = True
    session.flush()
    assert defaults(session) == ()


def test_events_known_later_make_no_default_product_feature(session: Session) -> None:
    crowd(session, range(1, 4), event_names=["Export"])
    name_events(session, "Export")

    session.execute(update(DailyUsage).values(known_on=AS_OF + timedelta(days=1)))

    assert defaults(session) == ()
    assert defaults(session, AS_OF + timedelta(days=1)) == ("Export",)


def test_only_one_of_two_concurrent_transactions_builds_the_benchmark(
    committed: SessionFactory,
) -> None:
    with transaction(committed) as session:
        crowd(session, range(1, 26))

    with ThreadPoolExecutor(1) as threads, committed() as second:
        with transaction(committed) as first:
            built = load(first)
            waiting = threads.submit(load, second, LATER)
            wait_until_blocked(first)
            assert not waiting.done()
        taken = waiting.result(timeout=120)
        rows = stored_benchmarks(second)

    assert taken == built
    assert [row.computed_at for row in rows] == [NOW]
    assert Measure.BREADTH not in built.benchmarks[""].measures, "no event name was registered"
