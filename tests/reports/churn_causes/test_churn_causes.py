"""What goes with churn, by paid days that can be counted by hand.

Ten accounts pay from 1 January. The odd ones churn on 11 January, the others stay through the 20
days of the period. Paid days: 5 x 10 + 5 x 20 = 150; 5 churned accounts.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.signals.tables import AccountSignal
from app.tables import OnboardingCompletion, OnboardingStep, ProductFeature, SourceEventName
from tests import factories
from tests.conftest import NOW
from tests.reports.kpis.test_revenue import add_subscription, get_report

FIRST = date(2026, 1, 1)
DAYS = {"since": "2026-01-01", "until": "2026-01-21"}
LEAVERS = [f"a{n}" for n in (1, 3, 5, 7, 9)]
STAYERS = [f"a{n}" for n in (0, 2, 4, 6, 8)]


@pytest.fixture
def company(session: Session) -> None:
    factories.workspace(session)
    for account_id in STAYERS:
        add_subscription(session, account_id, 100_00, starts_on=FIRST)
    for account_id in LEAVERS:
        reason = " too expensive " if account_id < "a7" else None
        ends = {"ends_on": date(2026, 1, 11), "end_reason": reason}
        add_subscription(session, account_id, 50_00, starts_on=FIRST, **ends)
    add_subscription(session, "ours", 900_00, starts_on=FIRST, ends_on=date(2026, 1, 5))
    factories.account(session, "ours", excluded=True)
    session.commit()


def signal(session: Session, account_id: str, day: date, *, until: date | None = None) -> None:
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    row: dict[str, Any] = {"severity": "high", "since": day, "evidence": {}, "opened_at": at}
    row |= {"changed_at": at, "cleared_at": until and at + (until - day)}
    session.add(
        AccountSignal(
            workspace_id="acme", account_id=account_id, signal="champion_inactive", key="", **row
        )
    )


def finding(client: TestClient, what: str, **params: Any) -> Any:  # noqa: ANN401
    found = get_report(client, "churn-causes", **(DAYS | params))
    [match] = [each for each in found["findings"] if each["what"] == what]
    return match


@pytest.mark.usefixtures("company")
def test_tenure_and_reasons_are_counted_over_churned_accounts(client: TestClient) -> None:
    found = get_report(client, "churn-causes", **DAYS)

    assert (found["left"]["numerator"], found["left"]["denominator"]) == (5, 10)
    assert (found["median_days"]["value"], found["within_7_days"]["value"]) == (10, 0)
    assert [(t["days"], t["left"]) for t in found["tenure"]][:2] == [("0-7", 0), ("8-30", 5)]
    assert [(r["reason"], r["accounts"], r["mrr_cents"]) for r in found["reasons"]] == [
        *(("too expensive", 3, 150_00), (None, 2, 100_00))
    ]


@pytest.mark.usefixtures("company")
def test_churn_within_a_week_counts_from_the_sign_up(client: TestClient, session: Session) -> None:
    add_subscription(session, "quick", 10_00, starts_on=date(2026, 1, 4), ends_on=date(2026, 1, 9))
    session.commit()

    found = get_report(client, "churn-causes", **DAYS)

    assert found["within_7_days"]["value"] == pytest.approx(1 / 6)


@pytest.mark.usefixtures("company")
def test_days_with_a_signal_are_compared_with_days_without(
    client: TestClient, session: Session
) -> None:
    """Open from 6 January on: 4 leavers with 5 days, 1 stayer with 15. 4 / 35 against 1 / 115."""
    for account_id in (*LEAVERS[:4], STAYERS[0]):
        signal(session, account_id, date(2026, 1, 6))
    signal(session, "ours", date(2026, 1, 2))
    session.commit()

    found = finding(client, "signal")

    assert found["held"] == {"paid_days": 35, "left": 4}
    assert found["otherwise"] == {"paid_days": 115, "left": 1}
    assert found["lift"] == pytest.approx((4 / 35) / (1 / 115), rel=1e-3)
    assert (found["n"], found["playbook"]) == (5, "find_next_champion")
    assert found["is_clear"] == (found["q_value"] <= 0.05)
    assert found["sentence"].startswith("An inactive champion in the last 90 days: this goes with ")
    chinese = get_report(client, "churn-causes", **DAYS, lang="zh")["findings"]
    [name] = {each["name"] for each in chinese if each["key"] == found["key"]}
    assert name == "关键用户不活跃"


@pytest.mark.usefixtures("company")
def test_a_signal_counts_for_ninety_days_after_it_cleared(
    client: TestClient, session: Session
) -> None:
    signal(session, LEAVERS[0], date(2025, 10, 1), until=date(2025, 10, 8))  # 8 October + 90 days
    signal(session, LEAVERS[1], date(2025, 10, 1), until=date(2025, 10, 13))
    session.commit()

    found = finding(client, "signal")

    assert found["held"] == {"paid_days": 6 + 10, "left": 1}, "6 January, and 11 January"


@pytest.mark.usefixtures("company")
def test_later_facts_do_not_change_a_past_period(client: TestClient, session: Session) -> None:
    before = get_report(client, "churn-causes", **DAYS)
    signal(session, LEAVERS[0], date(2026, 2, 1))
    add_subscription(
        session, "later", 10_00, starts_on=FIRST, ends_on=date(2026, 1, 5), known_on=NOW.date()
    )
    session.commit()

    assert get_report(client, "churn-causes", **DAYS) == before


@pytest.mark.usefixtures("company")
def test_not_using_a_product_feature_is_compared_with_using_it(
    client: TestClient, session: Session
) -> None:
    """All stayers used it on 1 January (20 days each), one leaver on the 4th (days 4 to 10)."""
    session.add(
        ProductFeature(workspace_id="acme", key="export", name="Export", event_names=["Export"])
    )
    for account_id in STAYERS:
        factories.usage(session, FIRST, account_id=account_id)
    factories.usage(session, FIRST + timedelta(days=3), account_id=LEAVERS[0])
    session.commit()

    found = finding(client, "feature_unused")

    assert found["otherwise"] == {"paid_days": 107, "left": 1}
    assert found["held"] == {"paid_days": 43, "left": 4}
    assert (found["n"], found["playbook"]) == (5, "teach_unused_feature")


@pytest.mark.usefixtures("company")
def test_use_before_the_first_event_is_unknown(client: TestClient, session: Session) -> None:
    """First event on 10 December: whole windows of 28 days are known from 6 January on.

    Leavers pay 5 more days each, stayers 15: 5 x 5 + 5 x 15 = 100.
    """
    session.add(
        ProductFeature(workspace_id="acme", key="export", name="Export", event_names=["Export"])
    )
    factories.first_use(session, date(2025, 12, 10), account_id=STAYERS[0])
    session.commit()

    found = finding(client, "feature_unused")

    assert found["held"] == {"paid_days": 100, "left": 5}
    assert (found["otherwise"]["paid_days"], found["n"]) == (0, 10)


@pytest.mark.usefixtures("company")
def test_use_before_the_source_of_a_feature_is_unknown(
    client: TestClient, session: Session
) -> None:
    """As above for Export, which mobile reports since 10 December; the web sends since October."""
    first_days = {"Export": ("mobile", date(2025, 12, 10)), "Home": ("web", date(2025, 10, 1))}
    for name, (key_id, first) in first_days.items():
        row = {"key_id": key_id, "name": name, "first_day": first}
        session.add(SourceEventName(workspace_id="acme", **row))
        feature = {"key": name.lower(), "name": name, "event_names": [name]}
        session.add(ProductFeature(workspace_id="acme", **feature))
    factories.first_use(session, date(2025, 10, 1), account_id=STAYERS[0])
    session.commit()

    found = get_report(client, "churn-causes", **DAYS)["findings"]
    held = {each["key"]: each["held"] for each in found}

    assert held == {
        "export": {"paid_days": 100, "left": 5},
        "home": {"paid_days": 150, "left": 5},
    }


@pytest.mark.usefixtures("company")
def test_an_unfinished_step_is_compared_with_finished_onboarding(
    client: TestClient, session: Session
) -> None:
    """Stayers finish on the 3rd (18 days each); leavers do step one on the 2nd, never the next."""
    for position, key in enumerate(("connect", "invite")):
        step = {"key": key, "name": key.title(), "position": position}
        session.add(OnboardingStep(workspace_id="acme", **step))
    for account_id in (*LEAVERS, *STAYERS):
        complete(session, account_id, "connect", date(2026, 1, 2))
    for account_id in STAYERS:
        complete(session, account_id, "invite", date(2026, 1, 3))
    session.commit()

    found = get_report(client, "churn-causes", **DAYS)

    steps = {each["key"]: each for each in found["findings"]}
    assert steps["invite"]["held"] == {"paid_days": 5 * 9 + 5 * 1, "left": 5}
    assert steps["invite"]["otherwise"] == {"paid_days": 5 * 18, "left": 0}
    assert (steps["invite"]["lift"], steps["invite"]["reason"]) == (None, "nobody_left_otherwise")
    assert steps["invite"]["is_clear"] is True
    assert steps["connect"]["held"] == {"paid_days": 10, "left": 0}
    assert steps["invite"]["playbook"] == "unblock_onboarding"


def complete(session: Session, account_id: str, step_key: str, day: date) -> None:
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    row = {"account_id": account_id, "step_key": step_key, "known_on": day, "done_at": at}
    session.add(OnboardingCompletion(workspace_id="acme", **row))


def test_a_workspace_without_churn_has_no_share_and_no_findings(client: TestClient) -> None:
    found = get_report(client, "churn-causes")

    assert found["within_7_days"]["value"] is None
    assert found["findings"] == []
