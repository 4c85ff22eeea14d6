"""The SQL statement of features compared with a recount in plain Python over random data."""

from dataclasses import astuple, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.features.queries import load_account_features
from app.features.values import AccountFeatures, EventCount, FeatureMap, FeatureSpec, ReachSource
from app.tables import DailyReach, DailyUsage, FirstUse, Subscription, User, UserAlias
from tests import factories
from tests.features.recount import recount
from tests.features.world import ACCOUNTS, AS_OF, World, day, random_world

PRODUCT = FeatureMap(
    [("Export", "export"), ("Share", "sharing"), ("Invite", "sharing"), ("Export", "reports")]
)
REACHES = (ReachSource(), ReachSource("property"), ReachSource("events", ("Share", "Search")))
SPEC = FeatureSpec(PRODUCT, ReachSource(), "USD", 28)
EXTRAS = (
    ("csat", "tier"),
    (EventCount(("Export", "Search"), 7), EventCount(("Export",), 45), EventCount(("Share",), 1)),
)
"""The traits and the event counts over other windows of a spec."""


def load_features(
    session: Session, *account_ids: str, spec: FeatureSpec = SPEC, as_of: date = AS_OF
) -> list[AccountFeatures]:
    return load_account_features(session, "acme", account_ids, as_of=as_of, spec=spec)


def load_one(session: Session, account_id: str = "a1", **options: Any) -> AccountFeatures:  # noqa: ANN401
    [found] = load_features(session, account_id, **options)
    return found


@pytest.fixture(autouse=True)
def workspace(session: Session) -> None:
    factories.workspace(session)


@pytest.mark.parametrize("window_days", [28, 7])
@pytest.mark.parametrize("reach", REACHES, ids=lambda reach: reach.kind)
@pytest.mark.parametrize("seed", range(6))
def test_the_statement_counts_the_same_as_a_recount_in_python(
    session: Session, seed: int, reach: ReachSource, window_days: int
) -> None:
    world = random_world(seed)
    world.store(session)
    spec = FeatureSpec(PRODUCT, reach, "USD", window_days, *EXTRAS)

    for as_of in (AS_OF, day(11)):
        expected = [recount(world, account_id, spec, as_of=as_of) for account_id in ACCOUNTS]
        assert load_features(session, *ACCOUNTS, spec=spec, as_of=as_of) == expected


def test_the_random_worlds_contain_every_kind_of_account() -> None:
    """A recount proves nothing about values that never occur in it."""
    spec = replace(SPEC, traits=EXTRAS[0], counts=EXTRAS[1])
    found = [recount(random_world(seed), a, spec) for seed in range(6) for a in ACCOUNTS]

    added_later = {"engagement", "signals"}  # loaded apart, and by a later stage
    for name in {*AccountFeatures.__slots__} - added_later:
        assert len({repr(getattr(row, name)) for row in found}) > 1, f"{name} is always the same"
    assert {row.churned for row in found} == {True, False}
    assert any(row.no_rate for row in found)
    assert any(row.currency == "EUR" and row.pays and not row.no_rate for row in found)
    assert {key for row in found for key in row.counts} == {count.key for count in EXTRAS[1]}
    assert any(row.traits == {"csat": 4.5, "tier": None} for row in found)
    assert any(row.price_cents and row.price_cents % 100 for row in found), "no price is a mean"
    assert any(row.adopted_before and not row.adopted for row in found)


@pytest.mark.parametrize("reach", REACHES, ids=lambda reach: reach.kind)
def test_a_set_of_accounts_gives_the_same_features_as_each_account_alone(
    session: Session, reach: ReachSource
) -> None:
    random_world(1).store(session)
    spec = FeatureSpec(PRODUCT, reach, "USD", 28, *EXTRAS)

    together = load_features(session, *reversed(ACCOUNTS), spec=spec)

    assert together == [load_one(session, account_id, spec=spec) for account_id in ACCOUNTS]


def test_no_accounts_give_no_features(session: Session) -> None:
    assert load_features(session) == []


def test_an_unknown_account_has_empty_features(session: Session) -> None:
    empty = load_one(session, "nobody")

    assert not empty.pays
    assert empty.started_on is None
    assert (empty.active_users, empty.reached, empty.mrr_cents, empty.seats) == (0, 0, 0, None)


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_become_known_later_do_not_change_the_past(session: Session, seed: int) -> None:
    """Late events, restated subscriptions, and days in the future."""
    random_world(seed).store(session)
    spec = replace(SPEC, counts=EXTRAS[1])
    before = load_features(session, *ACCOUNTS, spec=spec)
    after = load_features(session, *ACCOUNTS, spec=spec, as_of=day(-2))

    later = World()
    for account_id in ACCOUNTS[:-1]:
        for back, known in ((3, -1), (40, -2), (-1, -1)):
            known_on = {"account_id": account_id, "known_on": day(known)}
            usage = {"user_id": "zoe", "is_anonymous": False, "event_name": "Export", "events": 1}
            later.add(DailyUsage, day=day(back), **usage, **known_on)
            later.add(DailyReach, day=day(back), end_customer_id="late", **known_on)
        later.add(FirstUse, day=day(900), account_id=account_id, known_on=day(-60))
        for starts_on, known in ((day(500), -1), (day(-7), 500)):
            later.add(
                Subscription,
                account_id=account_id,
                subscription_id="late",
                source="api",
                starts_on=starts_on,
                known_on=day(known),
                mrr_cents=7_700,
                currency="USD",
            )
    later.add(UserAlias, anonymous_id="anon-3", user_id="zoe", known_on=day(-1))
    later.store(session)

    assert load_features(session, *ACCOUNTS, spec=spec) == before
    assert load_features(session, *ACCOUNTS, spec=spec, as_of=day(-2)) != after


def test_rows_of_another_workspace_are_not_counted(session: Session) -> None:
    other = factories.workspace(session, "other").id
    factories.usage(session, AS_OF, workspace_id=other)
    factories.subscription(session, workspace_id=other)

    assert astuple(load_one(session)) == astuple(recount(World({}), "a1", SPEC))


@pytest.mark.parametrize(("days", "adopted"), [([0], []), ([0, 27], ["export", "reports"])])
def test_a_product_feature_is_adopted_when_used_on_two_days(
    session: Session, days: list[int], adopted: list[str]
) -> None:
    for back in days:
        for user_id in ("ada", "ben"):
            factories.usage(session, day(back), user_id=user_id)

    assert load_one(session).adopted == adopted


def test_two_events_of_a_product_feature_on_two_days_adopt_it(session: Session) -> None:
    factories.usage(session, day(1), event_name="Share")
    factories.usage(session, day(2), event_name="Invite")

    assert load_one(session).adopted == ["sharing"]


def test_the_window_ends_on_the_day_and_the_window_before_ends_where_it_starts(
    session: Session,
) -> None:
    for back in (-1, 0, 27, 28, 55, 56):
        factories.usage(session, day(back), user_id=f"user {back}")

    found = load_one(session, as_of=AS_OF)

    assert (found.active_users, found.active_users_before) == (2, 2)


@pytest.mark.parametrize("reach", REACHES[1:], ids=lambda reach: reach.kind)
def test_excluded_users_are_not_counted(session: Session, reach: ReachSource) -> None:
    spec = FeatureSpec(PRODUCT, reach, "USD", 28)
    for back in (1, 2, 30, 31):
        factories.usage(session, day(back), user_id="ada", event_name="Share", quantity=5)
        factories.usage(session, day(back), user_id="ops", event_name="Export", quantity=7)
    session.add(User(workspace_id="acme", user_id="ops"))
    session.flush()
    counted = load_one(session, spec=spec)

    session.get_one(User, ("acme", "ops")).excluded = True
    session.flush()
    found = load_one(session, spec=spec)

    assert (counted.adopted, counted.active_users) == (["export", "reports", "sharing"], 2)
    assert (found.adopted, found.active_users, found.active_users_before) == (["sharing"], 1, 1)
    assert found.reached == (10 if reach.kind == "property" else 2)


def test_anonymous_visits_of_an_excluded_user_are_not_counted(session: Session) -> None:
    session.add(User(workspace_id="acme", user_id="ops", excluded=True))
    for back in (1, 2):
        factories.usage(session, day(back), user_id="anon", is_anonymous=True)
    assert load_one(session).adopted == ["export", "reports"]

    alias = UserAlias(workspace_id="acme", anonymous_id="anon", user_id="ops", known_on=day(0))
    session.add(alias)
    session.flush()

    assert load_one(session).adopted == []
    assert load_one(session).active_users == 0
    assert load_one(session, as_of=day(1)).adopted == ["export", "reports"], "not known on that day"


def test_a_user_and_their_anonymous_visits_are_one_person(session: Session) -> None:
    factories.usage(session, day(1), user_id="anon", is_anonymous=True)
    factories.usage(session, day(2), user_id="anon-2", is_anonymous=True)
    factories.usage(session, day(3), user_id="ada")
    for visitor in ("anon", "anon-2"):
        session.add(
            UserAlias(workspace_id="acme", anonymous_id=visitor, user_id="ada", known_on=day(1))
        )
    session.flush()

    assert load_one(session).active_users == 1


def test_an_account_starts_with_its_first_event_or_payment(session: Session) -> None:
    factories.first_use(session, day(10))
    factories.subscription(session, starts_on=day(5))
    assert load_one(session).started_on == day(10)

    session.add(FirstUse(workspace_id="acme", account_id="a1", known_on=AS_OF, day=day(20)))
    session.flush()

    assert load_one(session).started_on == day(20)
    assert load_one(session, as_of=AS_OF - timedelta(days=1)).started_on == day(10)
