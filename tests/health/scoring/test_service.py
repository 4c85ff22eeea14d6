"""Scores and history as written by a refresh."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.health.scoring import service
from app.health.scoring.assess import Assessment
from app.tables import Account, Benchmark, DailyReach, DailyUsage, HealthHistory, HealthScore
from tests import factories
from tests.health.builders import AS_OF
from tests.health.crowd import NOW, crowd, name_events

LATER, TOMORROW = NOW + timedelta(hours=1), NOW + timedelta(days=1)


YESTERDAY = AS_OF - timedelta(days=1)


def refresh(session: Session, *account_ids: str, now: datetime = NOW) -> list[Assessment]:
    return service.refresh(session, "acme", account_ids, as_of=now.date(), now=now)


def refresh_one(session: Session, account_id: str, now: datetime = NOW) -> Assessment:
    [found] = refresh(session, account_id, now=now)
    return found


def stored_score(session: Session, account_id: str) -> HealthScore:
    return session.get_one(HealthScore, ("acme", account_id), populate_existing=True)


def history(session: Session, account_id: str) -> list[tuple[Any, ...]]:
    rows = session.execute(
        select(HealthHistory.as_of, HealthHistory.change, HealthHistory.band)
        .where(HealthHistory.account_id == account_id)
        .order_by(HealthHistory.as_of, HealthHistory.change)
    )
    return [tuple(row) for row in rows]


def add_heavy_use(session: Session, account_id: str) -> None:
    """Give an account more usage than any other."""
    for number in range(200):
        on = AS_OF - timedelta(days=number % 2)
        factories.usage(session, on, account_id=account_id, user_id=f"flood {number}")
        factories.reach(session, on, f"flood {number}", account_id=account_id)


def delete_use(session: Session, account_id: str) -> None:
    session.execute(delete(DailyUsage).where(DailyUsage.account_id == account_id))
    session.execute(delete(DailyReach).where(DailyReach.account_id == account_id))


@pytest.fixture
def peers(session: Session) -> list[str]:
    ids = crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    return ids


def test_every_score_lies_within_0_and_100_and_is_written(
    session: Session, peers: list[str]
) -> None:
    found = refresh(session, *peers)

    assert [row.status for row in found] == ["ok"] * 25
    assert all(row.score is not None and 0 <= row.score <= 100 for row in found)
    for row in found:
        written = stored_score(session, row.account_id)
        assert (written.score, written.band, written.coverage) == (row.score, row.band, 1.0)
        assert (written.as_of, written.computed_at, written.data_through) == (AS_OF, NOW, NOW)
        assert (written.mrr_cents, written.plan) == (row.mrr_cents, row.plan)


@pytest.mark.usefixtures("peers")
def test_new_churned_and_excluded_accounts_have_a_status_and_no_score(
    session: Session,
) -> None:
    for account_id in ("new", "churned", "excluded"):
        factories.account(session, account_id, excluded=account_id == "excluded")
        factories.first_use(session, YESTERDAY, account_id=account_id)
        add_heavy_use(session, account_id)
    factories.subscription(session, "churned", ends_on=AS_OF)

    found = refresh(session, "churned", "excluded", "new")

    assert [row.status for row in found] == ["churned", "excluded", "new"]
    assert [(row.score, row.band) for row in found] == [(None, "unknown")] * 3
    assert [len(history(session, row.account_id)) for row in found] == [1, 1, 1]


@pytest.mark.usefixtures("peers")
@pytest.mark.parametrize(
    ("currency", "status"), [(None, "no_price"), ("EUR", "no_rate"), ("USD", "priced")]
)
def test_an_account_without_a_comparable_price_is_ranked_and_marked(
    session: Session, currency: str | None, status: str
) -> None:
    factories.account(session, "x")
    factories.first_use(session, factories.LONG_AGO.date(), account_id="x")
    add_heavy_use(session, "x")
    if currency:
        factories.subscription(session, "x", currency=currency)

    found = refresh_one(session, "x")

    assert (found.status, found.details["price_status"]) == ("ok", status)
    assert found.score is not None
    per_dollar = [measure.get("per_dollar") for measure in found.details["measures"]]
    assert (per_dollar == [None] * 4) == (status != "priced")


def test_fewer_than_twenty_priced_accounts_are_unpriced(session: Session) -> None:
    crowd(session, range(1, 20))
    crowd(session, range(20, 30), pays=False)
    name_events(session, "Export", "Share")

    found = refresh_one(session, "a001")

    assert (found.status, found.details["price_status"]) == ("ok", "unpriced")
    assert found.details["normalizer"] == "workspace"


def test_too_few_known_measures_are_insufficient_data(session: Session) -> None:
    """Without peers, product features and a number of end customers, only depth is known."""
    crowd(session, range(1, 4))

    found = refresh_one(session, "a001")

    assert (found.status, found.score, found.band) == ("insufficient_data", None, "unknown")
    assert found.coverage < 0.5


def test_an_unknown_workspace_is_not_found(session: Session) -> None:
    with pytest.raises(NotFoundError):
        refresh(session, "a1")


def test_a_day_has_one_row_that_follows_the_score(session: Session, peers: list[str]) -> None:
    refresh(session, *peers)
    refresh(session, *peers, now=LATER)

    assert history(session, "a010") == [(AS_OF, 0, stored_score(session, "a010").band)]
    row = session.get_one(HealthHistory, ("acme", "a010", AS_OF, 0, 0), populate_existing=True)
    assert (row.computed_at, row.score) == (LATER, stored_score(session, "a010").score)


@pytest.mark.usefixtures("peers")
def test_every_change_of_band_adds_a_row(session: Session) -> None:
    delete_use(session, "a010")
    refresh_one(session, "a010")
    add_heavy_use(session, "a010")
    refresh_one(session, "a010")
    refresh_one(session, "a010", LATER)
    delete_use(session, "a010")
    refresh_one(session, "a010")

    assert history(session, "a010") == [
        (AS_OF, 0, "at_risk"),
        (AS_OF, 1, "healthy"),
        (AS_OF, 2, "at_risk"),
    ]


@pytest.mark.usefixtures("peers")
def test_the_next_day_starts_a_row_and_does_not_change_the_day_before(session: Session) -> None:
    refresh_one(session, "a010")
    before = session.get_one(HealthHistory, ("acme", "a010", AS_OF, 0, 0)).details

    delete_use(session, "a010")
    refresh_one(session, "a010", TOMORROW)

    assert [row[:2] for row in history(session, "a010")] == [(AS_OF, 0), (TOMORROW.date(), 0)]
    row = session.get_one(HealthHistory, ("acme", "a010", AS_OF, 0, 0), populate_existing=True)
    assert (row.details, row.computed_at) == (before, NOW)


@pytest.mark.usefixtures("peers")
def test_a_past_day_gets_its_row_once_and_never_changes(session: Session) -> None:
    service.refresh(session, "acme", ["a010"], as_of=YESTERDAY, now=NOW)
    [(_, _, band)] = history(session, "a010")

    delete_use(session, "a010")
    service.refresh(session, "acme", ["a010"], as_of=YESTERDAY, now=LATER)

    assert band != "at_risk"
    assert history(session, "a010") == [(YESTERDAY, 0, band)]
    row = session.get_one(HealthHistory, ("acme", "a010", YESTERDAY, 0, 0), populate_existing=True)
    assert row.computed_at == NOW


@pytest.mark.usefixtures("peers")
def test_scoring_a_past_day_does_not_change_the_newest_score(session: Session) -> None:
    refresh_one(session, "a010")
    service.refresh(session, "acme", ["a010"], as_of=YESTERDAY, now=LATER)

    assert (stored_score(session, "a010").as_of, stored_score(session, "a010").computed_at) == (
        AS_OF,
        NOW,
    )


def test_a_set_of_accounts_scores_as_each_alone_to_the_last_digit(
    session: Session, peers: list[str]
) -> None:
    together = refresh(session, *peers)

    assert [refresh_one(session, account_id) for account_id in peers] == together


def test_replaying_gives_the_same_score_to_the_last_digit(
    session: Session, peers: list[str]
) -> None:
    """Store the same usage in another order and derive everything again."""
    first = refresh(session, *peers)
    rows = session.scalars(select(DailyUsage)).all()
    columns = [
        {column.key: getattr(row, column.key) for column in DailyUsage.__table__.columns}
        for row in rows
    ]
    session.expunge_all()
    for table in (DailyUsage, HealthScore, HealthHistory, Benchmark):
        session.execute(delete(table))

    session.execute(insert(DailyUsage), columns[::-1])

    assert refresh(session, *peers) == first


def test_a_higher_price_does_not_raise_a_score_and_more_usage_does_not_lower_it(
    session: Session, peers: list[str]
) -> None:
    before = refresh(session, *peers)[9].score or 0
    add_heavy_use(session, "a010")
    used_more = refresh_one(session, "a010").score or 0
    factories.subscription(session, "a010", mrr_cents=500_00, subscription_id="more")
    dearer = refresh_one(session, "a010").score or 0

    assert used_more >= before
    assert dearer <= used_more


def test_late_usage_changes_todays_score_and_not_that_of_its_day(
    session: Session, peers: list[str]
) -> None:
    refresh(session, *peers)
    delete_use(session, "a010")
    empty = refresh_one(session, "a010")
    for number in range(50):
        on = AS_OF - timedelta(days=1 + number % 2)
        factories.usage(session, on, account_id="a010", user_id=f"late {number}", known_on=AS_OF)

    late = refresh_one(session, "a010")
    [past] = service.refresh(session, "acme", ["a010"], as_of=YESTERDAY, now=NOW)

    assert (late.score or 0) > (empty.score or 0)
    assert past.details["measures"][1]["raw"] == 0


def test_another_workspace_is_not_scored(session: Session, peers: list[str]) -> None:
    factories.workspace(session, "other")
    factories.account(session, peers[0], workspace_id="other")

    refresh(session, *peers)

    assert set(session.scalars(select(HealthScore.workspace_id))) == {"acme"}
    assert session.get(HealthScore, ("other", peers[0])) is None


def test_an_account_that_became_excluded_loses_its_score(
    session: Session, peers: list[str]
) -> None:
    refresh(session, *peers)
    session.get_one(Account, ("acme", "a010")).excluded = True
    session.flush()

    refresh_one(session, "a010", LATER)

    assert (stored_score(session, "a010").score, stored_score(session, "a010").status) == (
        None,
        "excluded",
    )
    assert [row[2] for row in history(session, "a010")][-1] == "unknown"
