"""How contracts are billed and renewed, in the feature table: as it was known on the day."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.features.test_table import add_subscription, load_table
from tests.features.world import AS_OF, day


@pytest.fixture(autouse=True)
def _workspace(session: Session) -> None:
    factories.workspace(session)


BILLING = ("billing_period_months", "term_months", "auto_renews", "discount_share")


def billing(session: Session, *, on: date = AS_OF) -> list[float | None]:
    table = load_table(session, "a1", days=[on])
    values = [float(table.column(name)[0]) for name in BILLING]
    return [None if np.isnan(value) else value for value in values]


def test_billing_is_that_of_the_dearest_running_period_that_states_it(session: Session) -> None:
    add_subscription(session, subscription_id="free", mrr_cents=0, billing_period_months=6)
    assert billing(session) == [None] * 4

    add_subscription(session, subscription_id="s1", mrr_cents=100_00, discount_share=0.25)
    add_subscription(
        session, subscription_id="s2", mrr_cents=50_00, discount_share=0.5, term_months=24
    )
    add_subscription(
        session, subscription_id="s3", mrr_cents=200_00, ends_on=day(1), term_months=36
    )
    assert billing(session) == [None, 24, None, 0.25]
    assert billing(session, on=day(2)) == [None, 36, None, 0.25]


def test_billing_of_a_past_day_is_as_it_was_known_then(session: Session) -> None:
    """Monthly at first; on the day 7 days ago it became yearly, and was cancelled to its end."""
    add_subscription(session, billing_period_months=1, auto_renews=True)
    add_subscription(session, billing_period_months=12, auto_renews=False, known_on=day(7))

    assert billing(session, on=day(8)) == [1, None, 1, None]
    assert billing(session, on=day(7)) == [12, None, 0, None]


@pytest.mark.parametrize(("source", "known"), [("import", None), ("api", 0), ("stripe", 0)])
def test_an_imported_history_does_not_say_whether_it_will_renew(
    session: Session, source: str, known: float | None
) -> None:
    add_subscription(session, auto_renews=False, source=source, ends_on=day(-5))

    assert billing(session) == [None, None, known, None]


@pytest.mark.parametrize(
    ("columns", "days"),
    [
        ({"billing_period_months": 1}, 12),  # 2026-01-30 + 2 months is 12 days after 2026-03-18
        ({"billing_period_months": 12}, 318),
        ({"billing_period_months": 1, "term_months": 3}, 43),  # the term counts: 2026-04-30
        ({"starts_on": date(2025, 3, 18), "billing_period_months": 12}, 365),  # renewed today
        ({"starts_on": date(2024, 1, 31), "billing_period_months": 1}, 13),  # 2026-03-31
        ({"billing_period_months": 12, "renewal_on": day(-40)}, 40),
        ({"billing_period_months": 12, "renewal_on": day(1)}, 318),  # that day has passed
        ({"billing_period_months": 1, "renewal_on": day(-5), "ends_on": day(-5)}, 12),
        ({"billing_period_months": 12, "ends_on": day(-30), "known_on": day(7)}, None),
        ({"billing_period_months": 12, "mrr_cents": 0}, 318),
    ],
)
def test_the_term_says_when_the_contract_renews_if_no_renewal_day_is_known(
    session: Session, columns: dict[str, Any], days: int | None
) -> None:
    """The period began on 2026-01-30. What reveals an end that has not come yet is not used."""
    add_subscription(session, **({"starts_on": date(2026, 1, 30)} | columns))

    found = load_table(session, "a1")
    values = [found.column(name)[0] for name in ("days_to_renewal", "days_to_notice")]
    assert [None if np.isnan(value) else value for value in values] == [days, days]
