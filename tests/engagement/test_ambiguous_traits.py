"""A trait that may have decimals or thousands is unknown in tiers and goals."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.tables import LoyaltyTier
from tests import factories
from tests.conftest import NOW
from tests.engagement.semantic_calls import engagement_of


@pytest.mark.parametrize(
    ("spend", "value"),
    [("1.500", None), ("-250.000", None), (1.125, 1.125), ("1.50", 1.5), ("0.125", 0.125)],
)
def test_a_trait_that_may_have_decimals_or_thousands_is_unknown(
    session: Session, spend: object, value: float | None
) -> None:
    factories.account(session, "a2", traits={"spend": spend}, traits_at=NOW - timedelta(days=5))
    columns = {"name": "Gold", "position": 1, "metric": "trait", "trait": "spend"}
    session.add(LoyaltyTier(workspace_id="acme", key="gold", threshold=100, **columns))
    session.flush()

    tier = engagement_of(session, account_id="a2").tier

    assert tier is not None
    assert tier.missing == (None if value is None else 100 - value)
