"""What was before the first event ever received is unknown, and not zero.

The first event is 70 days old; contracts began years ago.
"""

from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import pipeline
from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.training.observations import list_observation_days
from app.engagement.queries import load_engagement
from app.tables import AccountSignal, OnboardingStep, Plan, ProductFeature, SourceEventName
from tests import factories
from tests.conftest import NOW

TODAY = NOW.date()
LONG_AGO = date(2022, 12, 1)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.fixture
def veteran(session: Session) -> None:
    """a1 has paid for Export and Chat since 2022; its events begin 70 days ago, without Chat."""
    factories.account(session, started_on=LONG_AGO)
    factories.subscription(session, starts_on=LONG_AGO, known_on=LONG_AGO, seats=9, plan="team")
    for key in ("Export", "Chat"):
        feature = {"key": key, "name": key, "event_names": [key], "weight": 1}
        session.add(ProductFeature(workspace_id="acme", **feature))
    session.add(
        Plan(workspace_id="acme", key="team", name="Team", product_features=["Export", "Chat"])
    )
    step = {"key": "account", "name": "Account", "position": 1}
    session.add(OnboardingStep(workspace_id="acme", **step))
    begin(session, ago(70))


def begin(session: Session, first: date) -> None:
    factories.first_use(session, first)
    for back in range((TODAY - first).days + 1):
        factories.usage(session, ago(back))


def signals(session: Session) -> dict[str, AccountSignal]:
    session.flush()
    pipeline.refresh(session, "acme", ["a1"], as_of=TODAY, now=NOW)
    session.expire_all()
    return {row.signal: row for row in session.query(AccountSignal) if row.cleared_at is None}


@pytest.mark.usefixtures("veteran")
def test_an_unused_feature_is_known_as_unused_since_the_first_event(
    client: TestClient, session: Session
) -> None:
    """From 70 days ago to yesterday, the last whole day: 70 days."""
    unused = signals(session)["paid_feature_unused"]
    session.commit()

    assert (unused.since, unused.evidence["days"]) == (ago(70), 70)
    assert unused.evidence["known_from"] == ago(70).isoformat()
    sentences = [each["sentence"] for each in client.get("/api/v1/signals").json()["items"]]
    assert any("at least 70 days" in each for each in sentences)


@pytest.mark.usefixtures("veteran")
def test_older_events_that_are_imported_later_make_it_longer(session: Session) -> None:
    assert signals(session)["paid_feature_unused"].since == ago(70)
    factories.first_use(session, ago(400), account_id="other")
    session.flush()

    assert signals(session)["paid_feature_unused"].since == ago(400)


def report(session: Session, key_id: str, name: str, days: int) -> None:
    row = {"key_id": key_id, "name": name, "first_day": ago(days)}
    session.add(SourceEventName(workspace_id="acme", **row))


@pytest.mark.usefixtures("veteran")
def test_an_unused_feature_is_known_as_unused_since_its_source_began(
    client: TestClient, session: Session
) -> None:
    """Of 70 days of events, those that report Chat cover 65."""
    report(session, "web", "Export", 70)
    report(session, "mobile", "Chat", 65)
    unused = signals(session)["paid_feature_unused"]
    session.commit()

    assert (unused.since, unused.evidence["days"]) == (ago(65), 65)
    assert unused.evidence["known_from"] == ago(65).isoformat()
    sentences = [each["sentence"] for each in client.get("/api/v1/signals").json()["items"]]
    assert any("at least 65 days" in each for each in sentences)


@pytest.mark.usefixtures("veteran")
def test_a_feature_whose_source_is_young_is_not_called_unused(session: Session) -> None:
    report(session, "web", "Export", 70)
    report(session, "mobile", "Chat", 50)

    assert "paid_feature_unused" not in signals(session)


def test_an_account_is_not_stuck_before_the_source_of_the_step_begins(session: Session) -> None:
    """The account began 60 days ago with the web; mobile, which reports the step, 20 days ago."""
    factories.account(session, started_on=ago(60))
    begin(session, ago(60))
    step = {"key": "invite", "name": "Invite", "position": 1, "event_names": ["Invited"]}
    session.add(OnboardingStep(workspace_id="acme", **step))
    report(session, "web", "Export", 60)

    def days_in_step() -> tuple[float | None, date | None]:
        session.flush()
        loaded = load_engagement(session, "acme", ["a1"], as_of=TODAY, now=NOW)["a1"].onboarding
        assert loaded is not None
        return loaded.days_in_step, loaded.known_from

    assert days_in_step() == (60, None)
    report(session, "mobile", "Invited", 20)

    assert days_in_step() == (20, ago(20))
    assert "onboarding_stuck" not in signals(session)


@pytest.mark.parametrize(("days", "is_late"), [(30, True), (20, False)])
def test_first_value_is_late_only_where_its_source_could_report_it(
    session: Session, days: int, *, is_late: bool
) -> None:
    """The account began 30 days ago, with the web only. Mobile, which reports Chat, began then."""
    factories.account(session, started_on=ago(30))
    begin(session, ago(30))
    feature = {"key": "chat", "name": "Chat", "event_names": ["Chat"]}
    session.add(ProductFeature(workspace_id="acme", **feature))
    report(session, "web", "Export", 30)
    report(session, "mobile", "Chat", days)

    assert ("first_value_late" in signals(session)) is is_late


@pytest.mark.usefixtures("veteran")
def test_the_onboarding_of_an_older_account_is_unknown(
    client: TestClient, session: Session
) -> None:
    onboarding = load_engagement(session, "acme", ["a1"], as_of=TODAY, now=NOW)["a1"].onboarding
    session.commit()
    answer = client.get("/api/v1/accounts/a1/onboarding").json()

    assert onboarding is not None
    assert (onboarding.current, onboarding.done_share) == (None, None)
    assert "onboarding_stuck" not in signals(session)
    assert (answer["current"], answer["days_in_step"]) == (None, None)
    assert answer["known_from"] == ago(70).isoformat()


@pytest.mark.parametrize(("days", "is_open"), [(10, False), (20, True)])
def test_an_account_without_use_is_dormant_since_the_first_event(
    session: Session, days: int, *, is_open: bool
) -> None:
    """14 days without use are dormant: the events of another account are 10 or 20 days old."""
    factories.account(session)
    factories.account(session, "other")
    factories.subscription(session, starts_on=LONG_AGO, known_on=LONG_AGO)
    factories.first_use(session, ago(days), account_id="other")
    factories.usage(session, ago(days), account_id="other")

    found = signals(session).get("dormant")

    assert (found is not None) is is_open
    if found:
        assert (found.since, found.evidence["days"]) == (ago(20), 20)


def test_seats_and_silence_are_unknown_before_any_event(session: Session) -> None:
    factories.account(session)
    factories.subscription(session, starts_on=LONG_AGO, known_on=LONG_AGO, seats=9)

    assert not {"dormant", "seats_idle", "first_value_late"} & signals(session).keys()


@pytest.mark.usefixtures("veteran")
def test_first_value_of_an_account_that_is_older_is_unknown(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "new", started_on=ago(40))
    factories.usage(session, ago(30), account_id="new")
    session.commit()

    found = client.get(
        "/api/v1/reports/time-to-first-value", params={"since": LONG_AGO.isoformat()}
    ).json()

    assert (found["value"], found["n"]) == (10, 1)  # used 30 days ago, started 40 days ago
    assert found["exclusions"] == {"excluded": 0, "older_than_events": 1}


@pytest.mark.usefixtures("veteran")
def test_payers_are_observed_for_training_from_the_first_whole_window_on(session: Session) -> None:
    """First event on 2026-01-07: the first 84 days end on 2026-03-31, which is a month end."""
    days = list_observation_days(
        session, "acme", until=date(2026, 4, 10), horizon=Horizon(10, HorizonBasis.SUBSCRIPTION)
    )

    assert days == [("a1", date(2026, 3, 31))]
