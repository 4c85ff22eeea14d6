"""Rules evaluated with the scores: which alerts open and end, and which messages are sent."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import pipeline
from app.alerts import service
from app.tables import Account, AlertRule, AlertState, Change, Subscription, Workspace
from tests import factories
from tests.alerts.scenario import (
    activate_rule,
    create_accounts,
    insert_rule,
    refresh,
    sent_messages,
    sent_types,
    set_score,
    stored_alerts,
)
from tests.conftest import NOW

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NAMES = [f"m{number:03}" for number in range(51)]


def test_the_built_in_rules_announce_an_account_that_becomes_at_risk(session: Session) -> None:
    create_accounts(session, "a1")
    refresh(session, "a1", now=NOW - DAY)
    set_score(session, 20, "a1")

    refresh(session, "a1")

    by_rule = {
        data["rule"]["id"]: data for kind, data in sent_messages(session) if kind == "alert.opened"
    }
    at_risk = by_rule["health_at_risk"]
    assert (at_risk["previous"], at_risk["current"], at_risk["threshold"]) == (80, 20, 25)
    assert (at_risk["direction"], at_risk["condition"]) == ("down", "enters_band at_risk")
    assert (at_risk["account_id"], at_risk["signal"]) == ("a1", "health_score")
    assert at_risk["drivers"] == ['"fit" fell from 80 to 20: −60.0 points.']  # noqa: RUF001
    assert (at_risk["scorecard_version"], at_risk["episode"]) == (2, 1)
    assert (at_risk["revenue_at_risk_cents"], at_risk["currency"]) == (360_00, "USD")  # 30 %
    assert at_risk["revenue_at_risk_basis"] == "assumed"
    changes = session.scalars(select(Change).where(Change.type == "alert"))
    assert {(row.account_id, row.data["rule"], row.data["what"]) for row in changes} == {
        ("a1", "health_at_risk", "opened"),
        ("a1", "churn_risk_high", "opened"),  # it pays and has been silent for long
    }


@pytest.mark.parametrize("operator", ["drop_by", "drop_vs_self"])
def test_the_message_of_a_drop_contains_the_score_before_the_window(
    session: Session, operator: str
) -> None:
    config = {"operator": operator, "fire_at": 20, "window_days": 7}
    activate_rule(session, "fell", signal="health_score", **config)
    create_accounts(session, "a1", score=80)
    refresh(session, "a1", now=NOW - 7 * DAY)
    set_score(session, 65, "a1")
    refresh(session, "a1", now=NOW - DAY)
    set_score(session, 60, "a1")
    refresh(session, "a1")

    [(_, data)] = sent_messages(session)
    assert (data["previous"], data["current"], data["threshold"]) == (80, 60, 20)
    assert data["condition"] == f"{operator} in 7 days"


def test_a_score_that_oscillates_around_a_threshold_causes_one_message(session: Session) -> None:
    create_accounts(session, "a1", score=27)
    refresh(session, "a1")

    for turn in range(100):
        set_score(session, 23 if turn % 2 == 0 else 27, "a1")
        refresh(session, "a1", now=NOW + turn * timedelta(seconds=10))

    assert sent_types(session) == ["alert.opened"]


def test_an_alert_is_resolved_at_clear_at_and_may_open_again(session: Session) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    create_accounts(session, "a1", score=39)
    for turn, score in enumerate((39, 44, 45, 41, 38)):
        set_score(session, score, "a1")
        refresh(session, "a1", now=NOW + turn * HOUR)

    assert [kind for kind, _ in sent_messages(session)] == [
        "alert.opened",
        "alert.resolved",
        "alert.opened",
    ]
    [_, (_, resolved), (_, again)] = sent_messages(session)
    assert (resolved["previous"], resolved["current"], resolved["reason"]) == (39, 45, "recovered")
    assert (resolved["episode"], again["episode"]) == (1, 2)


@pytest.mark.parametrize("score", [None, 20])
def test_unknown_and_new_accounts_open_nothing(session: Session, score: float | None) -> None:
    create_accounts(session, "a1", score=score)
    factories.account(session, "new", traits={"fit": 1})
    factories.first_use(session, NOW.date() - DAY, account_id="new")
    factories.account(session, "out", traits={"fit": 1}, excluded=True)

    refresh(session, "a1", "new", "out")

    assert [each.account_id for each in stored_alerts(session)] == ([] if score is None else ["a1"])


def test_a_past_day_opens_nothing(session: Session) -> None:
    create_accounts(session, "a1", score=10)

    pipeline.refresh(session, "acme", ["a1"], as_of=NOW.date(), now=NOW + DAY)

    assert stored_alerts(session) == []


def test_the_alerts_of_a_churned_account_are_resolved(session: Session) -> None:
    create_accounts(session, "a1", score=10)
    refresh(session, "a1")
    session.execute(update(Subscription).values(ends_on=NOW.date()))

    refresh(session, "a1", now=NOW + HOUR)

    [alert] = stored_alerts(session)
    assert (alert.resolution, sent_types(session)) == (
        "churned",
        ["alert.opened", "alert.resolved"],
    )


def test_no_state_is_stored_for_an_account_without_a_breach(session: Session) -> None:
    create_accounts(session, "a1")

    refresh(session, "a1")

    assert session.scalars(select(AlertState)).all() == []


def test_a_rule_covers_only_the_accounts_that_its_filter_matches(session: Session) -> None:
    of_kim = {"owner": "kim"}
    activate_rule(
        session, "low", signal="health_score", operator="below", fire_at=40, filter=of_kim
    )
    create_accounts(session, "a1", "a2", score=39)
    session.execute(update(Account).where(Account.account_id == "a2").values(owner="kim"))
    refresh(session, "a1", "a2")
    assert [each.account_id for each in stored_alerts(session)] == ["a2"]

    session.execute(update(Account).values(owner="lee"))
    refresh(session, "a1", "a2", now=NOW + HOUR)

    assert [each.resolution for each in stored_alerts(session)] == ["filtered"]


def test_the_value_of_another_signal_is_not_sent_as_the_last_value(session: Session) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    create_accounts(session, "a1", score=30)
    refresh(session, "a1")
    other = {"name": "low", "signal": "days_since_last_use", "operator": "above", "fire_at": 90}
    session.execute(update(AlertRule).where(AlertRule.key == "low").values(active=False))
    insert_rule(session, "low", other | {"keep_seconds": 0}, version=3)
    refresh(session, "a1", now=NOW + HOUR)

    _, data = sent_messages(session)[-1]
    assert (data["signal"], data["previous"], data["current"]) == ("health_score", 30, None)


def test_more_than_fifty_at_once_are_one_digest(session: Session) -> None:
    create_accounts(session, *NAMES, score=20)

    refresh(session, *NAMES)

    [(kind, data)] = sent_messages(session)
    assert (kind, data["opened"], data["resolved"]) == ("alert.digested", 51, 0)
    assert (data["rule"]["id"], len(data["accounts"])) == ("health_at_risk", 10)
    assert (data["revenue_at_risk_cents"], data["currency"]) == (51 * 360_00, "USD")
    assert data["revenue_at_risk_assumed_cents"] == 51 * 360_00
    assert {each.last_notified for each in stored_alerts(session)} == {"opened"}


def test_a_digest_contains_the_transition_of_each_account_and_a_link_to_the_rule(
    session: Session,
) -> None:
    activate_rule(session, "low & slow", signal="health_score", operator="below", fire_at=40)
    create_accounts(session, *NAMES, score=20)
    refresh(session, *NAMES)
    set_score(session, 50, *NAMES)
    refresh(session, *NAMES, now=NOW + HOUR)

    opened, resolved = (data["accounts"][0] for _, data in sent_messages(session))
    assert (opened["what"], opened["previous"], opened["current"]) == ("opened", None, 20)
    assert (resolved["what"], resolved["previous"], resolved["current"]) == ("resolved", 20, 50)
    assert {data["link"] for _, data in sent_messages(session)} == {
        "/api/v1/alerts?rule=low%20%26%20slow"
    }


def test_fifty_at_once_are_single_messages(session: Session) -> None:
    create_accounts(session, *NAMES[:50], score=20)

    refresh(session, *NAMES[:50])

    assert sent_types(session) == ["alert.opened"] * 50


def test_silent_alerts_that_are_still_open_are_one_digest_after_the_next_sweep(
    session: Session,
) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    create_accounts(session, "a1", "a2", "a3", score=20)
    refresh(session, "a1", "a2", silent=True)
    set_score(session, 80, "a2")
    refresh(session, "a2", now=NOW + HOUR)
    mark_swept(session, days=0)
    service.send_held_notifications(session, now=NOW)
    assert sent_types(session) == []

    refresh(session, "a1", "a2", "a3", now=NOW + DAY, swept=True)
    mark_swept(session, days=1)
    service.send_held_notifications(session, now=NOW + DAY)
    service.send_held_notifications(session, now=NOW + DAY)

    assert sorted(sent_types(session)) == ["alert.digested", "alert.opened"]
    by_kind = dict(sent_messages(session))
    assert by_kind["alert.digested"]["opened"] == 1
    assert by_kind["alert.opened"]["account_id"] == "a3"


def test_an_alert_without_a_message_is_resolved_at_once_and_delays_no_other(
    session: Session,
) -> None:
    """Half of an import says 20, all of it 80: no alert is left. Later 20 is a real breach."""
    waits = {"keep_seconds": 86400, "cooldown_seconds": 86400}
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40, **waits)
    create_accounts(session, "a1", score=20)
    refresh(session, "a1", silent=True)
    assert [each.resolved_at for each in stored_alerts(session)] == [None]

    set_score(session, 80, "a1")
    refresh(session, "a1", now=NOW + MINUTE, silent=True)
    assert [each.resolved_at for each in stored_alerts(session)] == [NOW + MINUTE]
    assert sent_types(session) == []

    set_score(session, 20, "a1")
    refresh(session, "a1", now=NOW + 2 * MINUTE)
    assert sent_types(session) == ["alert.opened"]
    set_score(session, 80, "a1")
    refresh(session, "a1", now=NOW + 3 * MINUTE, silent=True)
    assert stored_alerts(session)[1].resolved_at is None, "it was announced: a day of calm is due"


def test_a_live_account_in_the_batch_of_a_sweep_is_announced_at_once(session: Session) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    create_accounts(session, "a1", "a2", score=20)

    pipeline.refresh(
        session, "acme", ["a1", "a2"], as_of=NOW.date(), now=NOW, swept={"a1"}, silent={"a1"}
    )

    assert [
        data["account_id"] for kind, data in sent_messages(session) if kind == "alert.opened"
    ] == ["a2"]


def mark_swept(session: Session, *, days: int) -> None:
    session.execute(update(Workspace).values(swept_on=(NOW + days * DAY).date()))
