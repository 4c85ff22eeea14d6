"""Values of goals that are unknown: money without a rate, and traits of another time."""

from sqlalchemy.orm import Session

from app.accounts.traits import field_time
from app.tables import Goal, LoyaltyTier
from tests import factories
from tests.engagement.test_snapshot import account, add, ago, engagement_of, on

__all__ = ["account"]


def test_a_goal_on_mrr_is_unknown_while_a_part_has_no_rate(session: Session) -> None:
    """1,000 dollars and 500 euros without a rate are unknown, not 1,000; a free part is no part."""
    days = {"starts_on": on(5), "known_on": on(5), "due_on": on(-30)}
    goal = {"title": "Grow", "metric": "mrr", "baseline": 0.0, "target": 1200.0}
    for account_id, cents in (("a1", 500_00), ("a2", 0)):
        add(
            session,
            Goal(account_id=account_id, goal_id=account_id, **days, **goal),
        )
        factories.subscription(session, account_id, mrr_cents=1000_00)
        factories.subscription(
            session, account_id, subscription_id="eu", currency="EUR", mrr_cents=cents
        )

    [unknown] = engagement_of(session).goals
    [known] = engagement_of(session, account_id="a2").goals

    assert (unknown.value, unknown.share) == (None, None)
    assert known.value == 1000


def test_a_trait_that_was_written_later_is_unknown_on_a_past_day(session: Session) -> None:
    factories.account(session, "a2", traits={"spend": "120.5"}, traits_at=ago(5))
    columns = {"name": "Gold", "position": 1, "metric": "trait", "trait": "spend"}
    add(session, LoyaltyTier(key="gold", threshold=100, **columns))

    now, before = (
        engagement_of(session, account_id="a2").tier,
        engagement_of(session, on(6), "a2").tier,
    )

    assert now is not None
    assert before is not None
    assert (now.key, now.next_key) == ("gold", None)
    assert (before.key, before.next_key, before.missing) == (None, "gold", None)


def test_a_trait_is_as_old_as_the_call_that_stated_it(session: Session) -> None:
    """Another trait was stated five days ago, this one fifty days ago: it is known ten days ago."""
    times = {"traits.spend": field_time(ago(50)), "traits.other": field_time(ago(5))}
    traits = {"spend": 120, "other": 1}
    factories.account(session, "a2", traits=traits, traits_at=ago(5), field_times=times)
    columns = {"name": "Gold", "position": 1, "metric": "trait", "trait": "spend"}
    add(session, LoyaltyTier(key="gold", threshold=100, **columns))

    before = engagement_of(session, on(10), "a2").tier

    assert before is not None
    assert before.key == "gold"
