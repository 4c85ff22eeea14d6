"""On which days accounts are observed, and what counts as churn."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from app.churn.model.horizon import HorizonBasis
from app.churn.training import observations
from app.tables import Account
from tests import factories
from tests.churn.workspaces import (
    STARTED_ON,
    UNTIL,
    add_usage,
    build_table_spec,
    create_customers,
    load_horizon,
    observe_panel,
)

H90 = timedelta(days=90)
FIRST_USE = date(2025, 3, 1)
"""So long before the subscriptions that all that was used is known when they begin."""


def observation_rows(
    session: Session, days: int | None = None
) -> dict[str, list[tuple[date, bool]]]:
    """Return the observation days of each account, and whether it churned within their horizons."""
    horizon = load_horizon(session, days)
    account_days = observations.list_observation_days(session, "acme", until=UNTIL, horizon=horizon)
    found = observations.observe_accounts(
        session,
        "acme",
        account_days,
        until=UNTIL,
        horizon=horizon,
        spec=build_table_spec(session, horizon),
    )
    rows: dict[str, list[tuple[date, bool]]] = {}
    for (account_id, day), churned in zip(found.account_days, found.panel.y, strict=True):
        rows.setdefault(account_id, []).append((day, bool(churned)))
    return rows


def add_subscription(session: Session, account_id: str = "a1", **columns: Any) -> None:  # noqa: ANN401
    factories.workspace(session)
    if session.get(Account, ("acme", account_id)) is None:
        factories.account(session, account_id)
    factories.subscription(
        session, account_id, **{"starts_on": STARTED_ON, "known_on": STARTED_ON} | columns
    )


def test_an_account_is_observed_at_month_ends_whose_horizon_has_passed(
    session: Session,
) -> None:
    add_subscription(session)

    days = [day for day, _ in observation_rows(session)["a1"]]

    ends = [date(2025, 6, 30), date(2025, 7, 31), date(2025, 8, 31), date(2025, 9, 30)]
    assert days == [*ends, date(2025, 10, 31), date(2025, 11, 30)]
    assert days[-1] + H90 <= UNTIL < date(2025, 12, 31) + H90


def test_nobody_who_pays_is_observed_before_84_days_of_use_are_known(session: Session) -> None:
    """The first event came on 9 June; the days of 9 June to 31 August are the first 84."""
    add_subscription(session)
    add_usage(session, "a1", date(2025, 6, 9), UNTIL)

    days = [day for day, _ in observation_rows(session)["a1"]]

    assert days[0] == date(2025, 8, 31)


def test_an_account_churns_if_its_subscription_ends_within_the_horizon(session: Session) -> None:
    add_subscription(session, ends_on=date(2025, 11, 29))

    rows = dict(observation_rows(session)["a1"])

    assert rows == {
        date(2025, 6, 30): False,
        date(2025, 7, 31): False,
        date(2025, 8, 31): True,  # 90 days before the first day without
        date(2025, 9, 30): True,
        date(2025, 10, 31): True,
    }


ENDED = date(2025, 11, 29)
"""90 days after 31 August: the last day of the horizon of that day."""


@pytest.mark.parametrize(
    ("grace", "gap", "has_churned"),
    [(31, 1, 0), (31, 31, 0), (31, 32, 1), (5, 5, 0), (5, 6, 1), (0, 1, 1)],
)
@pytest.mark.parametrize("subscription_id", ["main", "next"])
def test_a_contract_that_is_renewed_within_the_grace_is_not_churn(
    session: Session, grace: int, gap: int, has_churned: int, subscription_id: str
) -> None:
    """As in the reports: the renewal is recorded on the day on which it begins."""
    session.info["renewal_grace_days"] = grace
    add_subscription(session, ends_on=ENDED)
    renewed = ENDED + timedelta(days=gap)
    add_subscription(session, starts_on=renewed, known_on=renewed, subscription_id=subscription_id)

    assert dict(observation_rows(session)["a1"])[ENDED - H90] == bool(has_churned)


def test_a_renewal_that_is_recorded_after_the_grace_does_not_undo_churn(session: Session) -> None:
    add_subscription(session, ends_on=ENDED)
    known = ENDED + timedelta(days=32)
    add_subscription(session, starts_on=ENDED + timedelta(days=1), known_on=known)

    assert dict(observation_rows(session)["a1"])[ENDED - H90]


@pytest.mark.parametrize(("known_on", "churned"), [(UNTIL, 0), (UNTIL + timedelta(days=1), 1)])
def test_a_renewal_counts_if_it_is_known_by_the_end_of_the_panel(
    session: Session, known_on: date, churned: int
) -> None:
    """The horizon ends on the last day of the panel; the contract ended five days before."""
    day = date(2025, 11, 30)
    days = (UNTIL - day).days
    add_subscription(session, ends_on=UNTIL - timedelta(days=5))
    add_subscription(session, starts_on=UNTIL - timedelta(days=1), known_on=known_on)

    panel = observe_panel(session, days=days)

    assert panel.y[panel.day == day.toordinal()].tolist() == [churned]


def test_an_account_is_observed_on_a_day_on_which_its_renewal_holds_it(session: Session) -> None:
    """The contract ended on the last day of September; the next one was known before."""
    add_subscription(session, ends_on=date(2025, 9, 30))
    add_subscription(session, starts_on=date(2025, 10, 1), known_on=date(2025, 9, 1))

    assert (date(2025, 9, 30), False) in observation_rows(session)["a1"]


def test_an_account_left_on_the_end_that_was_known_by_the_end_of_the_horizon(
    session: Session,
) -> None:
    """Its end was first announced for 25 November, and in time corrected to 20 November."""
    first, corrected = date(2025, 11, 25), date(2025, 11, 20)
    add_subscription(session)
    add_subscription(session, ends_on=first, known_on=date(2025, 9, 1))
    add_subscription(session, ends_on=corrected, known_on=date(2025, 11, 1))
    horizon = load_horizon(session)

    found = observations.observe_accounts(
        session,
        "acme",
        [("a1", ENDED - H90)],
        until=UNTIL,
        horizon=horizon,
        spec=build_table_spec(session, horizon),
    )

    assert [outcome.left_on for outcome in found.outcomes] == [corrected]


def test_a_downgrade_is_not_churn(session: Session) -> None:
    add_subscription(session, ends_on=date(2025, 9, 10), mrr_cents=900_00)
    add_subscription(
        session, starts_on=date(2025, 9, 10), known_on=date(2025, 9, 10), mrr_cents=1_00
    )

    assert not any(churned for _, churned in observation_rows(session)["a1"])


def test_the_end_of_one_of_two_subscriptions_is_not_churn(session: Session) -> None:
    add_subscription(session)
    add_subscription(session, subscription_id="extra", ends_on=date(2025, 10, 10))

    assert not any(churned for _, churned in observation_rows(session)["a1"])


def test_an_account_that_returns_is_observed_again(session: Session) -> None:
    add_subscription(session, ends_on=date(2025, 7, 15))
    add_subscription(session, starts_on=date(2025, 10, 20), known_on=date(2025, 10, 20))

    rows = observation_rows(session, days=60)["a1"]

    assert rows[0] == (date(2025, 6, 30), True)
    assert [day for day, _ in rows[1:]] == [
        date(2025, 10, 31),
        date(2025, 11, 30),
        date(2025, 12, 31),
    ]
    assert not any(churned for _, churned in rows[1:])


def test_a_yearly_contract_is_observed_all_year_as_who_leaves_early_is_seen(
    session: Session,
) -> None:
    """It would renew on 20 January 2026, and ended on 10 September."""
    renewal, ended = date(2026, 1, 20), date(2025, 9, 10)
    add_subscription(
        session,
        starts_on=date(2025, 1, 20),
        known_on=date(2025, 1, 20),
        renewal_on=renewal,
        ends_on=ended,
    )

    rows = observation_rows(session)["a1"]

    assert rows == [
        *((date(2025, month, day), False) for month, day in [(1, 31), (2, 28), (3, 31), (4, 30)]),
        (date(2025, 5, 31), False),  # it paid for the 90 days until 29 August
        *((date(2025, month, day), True) for month, day in [(6, 30), (7, 31), (8, 31)]),
    ]


def test_excluded_accounts_are_not_observed(session: Session) -> None:
    add_subscription(session)
    add_subscription(session, "a2")
    session.get_one(Account, ("acme", "a2")).excluded = True
    session.flush()

    assert set(observation_rows(session)) == {"a1"}


def test_silence_is_churn_if_no_account_pays(session: Session) -> None:
    factories.workspace(session)
    add_usage(session, "a1", STARTED_ON, UNTIL)
    add_usage(session, "a2", STARTED_ON, date(2025, 9, 20))

    horizon = load_horizon(session)
    rows = observation_rows(session)

    assert (horizon.days, horizon.basis) == (30, HorizonBasis.SILENCE), (
        "the accounts have usage every other day"
    )
    assert [churned for _, churned in rows["a2"]] == [False, False, False, True]
    assert rows["a2"][-1][0] == date(2025, 9, 30), (
        "after that it was silent for longer than the horizon"
    )
    assert not any(churned for _, churned in rows["a1"])
    assert len(rows["a1"]) == 8


@pytest.mark.parametrize(("every", "days"), [(2, 30), (50, 60), (100, 90), (110, 120)])
def test_the_horizon_follows_the_cadence_of_the_workspace(
    session: Session, every: int, days: int
) -> None:
    factories.workspace(session)
    add_usage(session, "a1", date(2024, 1, 1), UNTIL, every=every)

    assert load_horizon(session).days == days


def test_rows_with_an_intervention_within_the_horizon_are_marked_as_treated(
    session: Session,
) -> None:
    create_customers(session, stay=1, leave=0)
    add_usage(session, "a0", FIRST_USE, FIRST_USE)
    horizon = load_horizon(session)
    found = observations.build_panel(
        session,
        "acme",
        until=UNTIL,
        horizon=horizon,
        spec=build_table_spec(session, horizon),
        treatments={"a0": [date(2025, 10, 15)]},
    )

    days = [date.fromordinal(day) for day in found.day[found.treated]]
    assert days == [date(2025, 7, 31), date(2025, 8, 31), date(2025, 9, 30)]


def test_an_empty_workspace_has_an_empty_panel(session: Session) -> None:
    factories.workspace(session)

    assert len(observe_panel(session)) == 0


def test_rows_are_ordered_by_day_and_have_their_account(session: Session) -> None:
    create_customers(session)

    found = observe_panel(session)

    assert (np.diff(found.day) >= 0).all()
    assert found.churned_accounts == 3
    assert found.x.shape == (len(found), len(found.names))
