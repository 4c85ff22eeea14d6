from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, event, update
from sqlalchemy.orm import Session

from app import pipeline
from app.events.tables import StaleAccount
from app.health.scoring.service import load_signals
from app.signals.config import SignalConfig
from app.signals.service import put_config
from app.signals.signal import Severity, Signal
from app.tables import (
    Account,
    AccountSignal,
    DailyReach,
    DailyUsage,
    Goal,
    PersonRole,
    Plan,
    ProductFeature,
    User,
)
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import NOW

TODAY = NOW.date()
LATER = NOW + timedelta(hours=1)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.fixture
def acme(session: Session) -> str:
    """An account that two people used daily for a quarter; ada most of all, until 20 days ago."""
    factories.account(session, "a1")
    factories.first_use(session, factories.LONG_AGO.date())
    factories.subscription(session, seats=2)
    for back in range(1, 92):
        factories.usage(session, ago(back), user_id="ben", events=2)
        if back >= 20:
            factories.usage(session, ago(back), user_id="ada", events=3)
            factories.reach(session, ago(back), f"c{back % 30}")
    return "a1"


def refresh(session: Session, *, now: datetime = NOW, as_of: date | None = None) -> None:
    pipeline.refresh(session, "acme", ["a1"], as_of=as_of or now.date(), now=now)


def rows(session: Session) -> Sequence[AccountSignal]:
    return session.query(AccountSignal).order_by(AccountSignal.id).all()


def names(signals: Sequence[Signal]) -> set[str]:
    return {each.name for each in signals}


def test_a_refresh_stores_the_detected_signals(session: Session, acme: str) -> None:
    refresh(session)

    stored = {row.signal: row for row in rows(session)}
    assert set(stored) == {"champion_inactive", "reach_falling", "usage_drop_vs_self"}
    row = stored["champion_inactive"]
    assert row.account_id == acme
    assert (row.since, row.opened_at, row.cleared_at) == (ago(19), NOW, None)
    assert row.evidence["user_id"] == "ada"
    assert row.evidence["days"] == 19  # up to yesterday, the last whole day


def test_a_refresh_with_the_same_signals_writes_nothing(session: Session, acme: str) -> None:
    assert acme
    refresh(session)
    session.flush()
    written = []

    def record(_: object, __: object, statement: str, *___: object) -> None:
        if "account_signal" in statement and not statement.lstrip().startswith("SELECT"):
            written.append(statement)

    event.listen(session.connection(), "before_cursor_execute", record)
    refresh(session, now=LATER)

    assert written == []


def test_a_signal_without_its_cause_is_cleared_and_stays_in_the_history(
    session: Session, acme: str
) -> None:
    assert acme
    refresh(session)
    factories.usage(session, ago(1), user_id="ada", events=3, event_name="Share")
    refresh(session, now=LATER)
    session.expire_all()

    [row] = [row for row in rows(session) if row.signal == "champion_inactive"]
    assert row.cleared_at == LATER


def test_signals_of_a_past_day_leave_those_of_today_unchanged(session: Session, acme: str) -> None:
    refresh(session)
    before = [(row.id, row.changed_at) for row in rows(session)]

    refresh(session, as_of=ago(15), now=LATER)
    early = load_signals(session, "acme", [acme], as_of=ago(15), now=LATER)
    late = load_signals(session, "acme", [acme], as_of=ago(5), now=LATER)

    assert "champion_inactive" not in names(early[acme])
    assert "champion_inactive" in names(late[acme])
    assert [(row.id, row.changed_at) for row in rows(session)] == before


def test_use_that_became_known_later_does_not_count_on_a_past_day(
    session: Session, acme: str
) -> None:
    """Ada was active then, but that is known only since today."""
    factories.usage(session, ago(6), user_id="ada", event_name="Share", known_on=TODAY)

    signals = load_signals(session, "acme", [acme], as_of=ago(5), now=NOW)

    assert "champion_inactive" in names(signals[acme])


def test_signals_stay_as_they_are_while_the_source_is_silent(session: Session, acme: str) -> None:
    refresh(session)
    session.add(StaleAccount(workspace_id="acme", account_id=acme, key_id="k1"))
    session.flush()
    week = NOW + timedelta(days=40)

    refresh(session, now=week)

    assert "dormant" not in {row.signal for row in rows(session)}
    assert all(row.cleared_at is None for row in rows(session))


def test_an_unused_upgrade_opens_a_signal_for_its_product_feature(
    session: Session, acme: str
) -> None:
    for key, event_name in (("export", "Export"), ("chat", "Chat")):
        feature = {"key": key, "name": key, "event_names": [event_name]}
        session.add(ProductFeature(workspace_id="acme", **feature))
    for plan, included in (("team", ["export"]), ("scale", ["export", "chat"])):
        session.add(Plan(workspace_id="acme", key=plan, name=plan, product_features=included))
    session.flush()
    factories.subscription(
        session, mrr_cents=200_00, plan="team", seats=2, known_on=ago(100), ends_on=ago(30)
    )
    factories.subscription(
        session, mrr_cents=300_00, plan="scale", seats=2, starts_on=ago(30), known_on=ago(30)
    )

    refresh(session)

    [row] = [row for row in rows(session) if row.signal == "paid_feature_unused"]
    assert (row.key, row.severity, row.since) == ("chat", "medium", ago(30))
    assert row.account_id == acme
    assert row.evidence["bought_on"] == ago(30).isoformat()


@pytest.mark.parametrize(("status", "is_open"), [("open", True), ("paid", False)])
def test_an_invoice_that_was_paid_later_was_unpaid_until_then(
    session: Session, acme: str, status: str, *, is_open: bool
) -> None:
    factories.invoice(session, acme, status=status, failed_at=NOW - timedelta(days=3), paid_at=NOW)

    today = load_signals(session, "acme", [acme], as_of=TODAY, now=NOW)
    before = load_signals(session, "acme", [acme], as_of=ago(2), now=NOW)

    assert ("payment_failed" in names(today[acme])) is is_open
    assert "payment_failed" in names(before[acme])


def test_the_user_with_the_role_is_the_champion(session: Session, acme: str) -> None:
    session.add(PersonRole(workspace_id="acme", user_id="ben", role="champion", known_on=ago(50)))
    session.add(User(workspace_id="acme", user_id="ben", account_id=acme))
    session.flush()

    signals = load_signals(session, "acme", [acme], as_of=TODAY, now=NOW)

    assert "champion_inactive" not in names(signals[acme])  # ben was here yesterday


def test_a_named_champion_who_left_months_ago_is_still_silent(session: Session, acme: str) -> None:
    """Eva used the product until 101 days ago: not in the quarter, and within the half-year.

    Of 368 events until four weeks ago 53 were hers, beside 63 days of two and of three events.
    """
    for back in range(101, 154):
        factories.usage(session, ago(back), user_id="eva", events=1)
    without_role = load_signals(session, "acme", [acme], as_of=ago(1), now=NOW)[acme]
    session.add(PersonRole(workspace_id="acme", user_id="eva", role="champion", known_on=ago(150)))
    session.add(User(workspace_id="acme", user_id="eva", account_id=acme))
    session.flush()

    signals = load_signals(session, "acme", [acme], as_of=ago(1), now=NOW)[acme]

    [before] = [each for each in without_role if each.name == "champion_inactive"]
    [signal] = [each for each in signals if each.name == "champion_inactive"]
    assert before.evidence["user_id"] == "ada"
    assert (signal.evidence["user_id"], signal.since) == ("eva", ago(100))
    assert signal.evidence["event_share"] == 0.144  # 53 / 368
    assert signal.severity is Severity.HIGH


def test_reach_that_fell_four_months_ago_and_stayed_low_is_still_falling(
    session: Session, acme: str
) -> None:
    """Until 120 days ago each two weeks reached 14 end customers, since then one."""
    for back in range(92, 183):
        factories.usage(session, ago(back), user_id="ben", events=2)
    for back in range(1, 183):
        day, customer = ago(back), f"d{back % 30}" if back >= 120 else "d0"
        factories.reach(session, day, customer)
    session.execute(delete(DailyReach).where(DailyReach.end_customer_id.like("c%")))

    signals = load_signals(session, "acme", [acme], as_of=ago(1), now=NOW)[acme]

    [signal] = [each for each in signals if each.name == "reach_falling"]
    assert (signal.evidence["now"], signal.evidence["usual"]) == (1, 14)
    assert signal.since == ago(126)  # the newest two weeks that were usual ended on the day before


def test_a_signal_that_is_switched_off_is_cleared(session: Session, acme: str) -> None:
    refresh(session)
    config = SignalConfig(off=["champion_inactive"])
    put_config(session, Actor("acme", "test", NOW), config)

    refresh(session, now=LATER)
    session.expire_all()

    assert {row.signal for row in rows(session) if row.cleared_at} == {"champion_inactive"}
    assert {row.account_id for row in rows(session)} == {acme}


def test_a_number_of_milestone_events_is_a_milestone(session: Session, acme: str) -> None:
    """Ben did two a day for 91 days, up to yesterday: 180 were reached two days ago."""
    config = SignalConfig(milestone_events=["Export"], milestone_counts=[180, 500])
    put_config(session, Actor("acme", "test", NOW), config)
    session.execute(delete(DailyUsage).where(DailyUsage.user_id == "ada"))

    signals = load_signals(session, "acme", [acme], as_of=TODAY, now=NOW)
    before = load_signals(session, "acme", [acme], as_of=ago(3), now=NOW)

    [signal] = [each for each in signals[acme] if each.name == "milestone"]
    assert (signal.since, signal.evidence) == (ago(2), {"count": 180})
    assert "milestone" not in names(before[acme])


def test_first_value_is_a_configured_event(session: Session, acme: str) -> None:
    config = SignalConfig(key_actions=["Chat"])
    session.execute(update(Account).values(trial_started_on=ago(10)))
    put_config(session, Actor("acme", "test", NOW), config)
    before = load_signals(session, "acme", [acme], as_of=TODAY, now=NOW)

    factories.usage(session, ago(1), event_name="Chat")
    after = load_signals(session, "acme", [acme], as_of=TODAY, now=NOW)

    assert "first_value_late" in names(before[acme])
    assert "first_value_late" not in names(after[acme])


def goal_of(account_id: str) -> Goal:
    return Goal(
        workspace_id="acme",
        goal_id=f"goal of {account_id}",
        account_id=account_id,
        title="Send more",
        metric="events",
        baseline=0,
        target=10,
        starts_on=ago(90),
        due_on=TODAY + timedelta(days=90),
        known_on=ago(90),
    )


@pytest.mark.parametrize(("others_with_goals", "is_missing"), [(1, False), (2, True)])
def test_a_goal_is_missing_only_where_half_of_the_payers_have_one(
    session: Session, acme: str, others_with_goals: int, *, is_missing: bool
) -> None:
    """One goal opened `goal_missing` on 256 other accounts (issue 13, C1).

    Four accounts pay; one more has a goal and pays nothing, and does not count.
    """
    for number in range(4):
        factories.account(session, f"b{number}")
        if number < 3:
            factories.subscription(session, f"b{number}")
        if number < others_with_goals or number == 3:
            session.add(goal_of(f"b{number}"))
    session.flush()

    refresh(session)

    assert ("goal_missing" in {row.signal for row in rows(session)}) is is_missing
    assert acme == "a1"
