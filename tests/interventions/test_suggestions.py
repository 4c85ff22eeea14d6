from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.interventions import suggestion_service
from app.interventions.cases import load_cases
from app.interventions.states import InterventionState
from app.tables import (
    AccountSignal,
    Change,
    ChurnRisk,
    FeedbackItem,
    HealthScore,
    Intervention,
    Message,
)
from tests import factories
from tests.conftest import NOW
from tests.interventions.scenario import (
    TODAY,
    create_account,
    open_signal,
    refresh,
    sent_messages,
    suggested_playbooks,
)


@pytest.fixture(autouse=True)
def _workspace(session: Session) -> None:
    factories.workspace(session)


def close_signal(session: Session, name: str) -> None:
    session.execute(
        update(AccountSignal).where(AccountSignal.signal == name).values(cleared_at=NOW)
    )


def only_intervention(session: Session) -> Intervention:
    session.expire_all()
    return session.scalars(select(Intervention)).one()


def test_an_open_signal_leads_to_a_suggestion(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")
    create_account(session, "a2")

    refresh(session, "a1", "a2")

    row = only_intervention(session)
    assert (row.account_id, row.playbook, row.state) == ("a1", "find_next_champion", "suggested")
    assert (row.signal, row.rank) == ("champion_inactive", 1)
    assert row.value_cents == pytest.approx(0.15 * 1200_00 * 0.30 * 0.8 - 1000)
    assert row.details["effect"]["risk_basis"] == "band"
    assert row.details["effect"]["evidence"] == "prior"


def test_the_probability_of_a_model_replaces_the_band(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")
    session.add(
        ChurnRisk(
            workspace_id="acme",
            account_id="a1",
            status="ok",
            probability=0.4,
            stage="trusted",
            horizon_days=90,
            mrr_cents=100_00,
            revenue_at_risk_cents=480_00,
            details={},
            computed_at=NOW,
        )
    )

    refresh(session)

    effect = only_intervention(session).details["effect"]
    assert (effect["risk"], effect["risk_basis"]) == (0.4, "model")


def test_at_most_three_are_suggested_the_most_valuable_first(session: Session) -> None:
    create_account(
        session,
        "a1",
        *("champion_inactive", "support_slow", "price_rise", "paid_feature_unused"),
        *("reach_falling", "ticket_surge"),
    )

    refresh(session)

    assert suggested_playbooks(session) == ["find_next_champion", "recover_support", "right_size"]


def test_refreshing_again_changes_nothing(session: Session) -> None:
    create_account(session, "a1", "champion_inactive", "price_rise")

    first, second = refresh(session), refresh(session)

    assert (first, second) == (2, 0)


def test_a_suggestion_lapses_with_its_signal_and_comes_back_under_its_id(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")
    refresh(session)
    row_id = only_intervention(session).id
    close_signal(session, "champion_inactive")

    refresh(session, days=1)
    lapsed = only_intervention(session).state
    open_signal(session, "a1", "champion_inactive")
    refresh(session, days=2)

    row = only_intervention(session)
    assert (lapsed, row.state, row.id) == (
        InterventionState.LAPSED,
        InterventionState.SUGGESTED,
        row_id,
    )


@pytest.mark.parametrize(
    ("columns", "is_suggested"),
    [
        ({"state": "accepted", "decided_at": NOW - timedelta(days=300)}, False),
        ({"state": "in_progress", "decided_at": NOW - timedelta(days=300)}, False),
        ({"state": "dismissed", "decided_at": NOW - timedelta(days=29)}, False),
        ({"state": "dismissed", "decided_at": NOW - timedelta(days=30)}, True),
        ({"state": "done", "done_at": NOW - timedelta(days=29)}, False),
        ({"state": "evaluated", "done_at": NOW - timedelta(days=29)}, False),
        ({"state": "done", "done_at": NOW - timedelta(days=30)}, True),
    ],
)
def test_open_recent_and_dismissed_playbooks_are_not_suggested(
    session: Session, columns: dict[str, Any], *, is_suggested: bool
) -> None:
    """The cooldown of this playbook is 30 days."""
    create_account(session, "a1", "champion_inactive")
    factories.intervention(session, playbook="find_next_champion", **columns)

    refresh(session)

    assert suggested_playbooks(session) == (["find_next_champion"] if is_suggested else [])


def test_a_refresh_does_not_undo_a_decision(session: Session) -> None:
    """A refresh that read a suggestion before it was accepted does not undo the decision."""
    create_account(session, "a1", "champion_inactive")
    refresh(session)
    session.execute(update(Intervention).values(state="accepted", decided_at=NOW))

    refresh(session)

    assert only_intervention(session).state == "accepted"


def test_a_new_suggestion_is_sent_once(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")

    for _ in range(2):
        refresh(session)

    body = orjson.loads(session.scalars(select(Message.body)).one())
    assert sent_messages(session) == [("suggestion.created", "a1")]
    assert body["data"]["playbook"] == "find_next_champion"
    assert body["data"]["suggestion_id"] == only_intervention(session).id
    assert body["data"]["currency"] == "USD"


def test_a_silent_suggestion_is_sent_at_the_next_refresh_that_is_not_silent(
    session: Session,
) -> None:
    create_account(session, "a1", "champion_inactive")

    refresh(session, silent=True)
    before = sent_messages(session)
    refresh(session, days=1)

    assert before == []
    assert sent_messages(session) == [("suggestion.created", "a1")]


@pytest.mark.parametrize(("days_gone", "messages"), [(3, 1), (9, 2)])
def test_a_suggestion_that_comes_back_is_sent_again_after_a_week_only(
    session: Session, days_gone: int, messages: int
) -> None:
    create_account(session, "a1", "champion_inactive")
    refresh(session)
    close_signal(session, "champion_inactive")
    refresh(session, days=1)
    open_signal(session, "a1", "champion_inactive")

    refresh(session, days=1 + days_gone)

    assert len(sent_messages(session)) == messages


def test_the_change_feed_contains_every_change_of_state(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")
    refresh(session)
    close_signal(session, "champion_inactive")
    refresh(session, days=1)

    changes = session.scalars(select(Change).order_by(Change.number)).all()

    assert [(each.data["state_before"], each.data["state"]) for each in changes] == [
        (None, "suggested"),
        ("suggested", "lapsed"),
    ]


def test_a_past_day_suggests_nothing(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")

    suggestion_service.refresh(session, "acme", ["a1"], as_of=TODAY - timedelta(days=1), now=NOW)

    assert suggested_playbooks(session) == []


def test_an_account_with_a_silent_source_gets_no_new_suggestion(session: Session) -> None:
    create_account(session, "a1", "champion_inactive", status="stale")

    refresh(session)

    assert suggested_playbooks(session) == []


def test_a_missing_profile_field_leads_to_a_suggestion(session: Session) -> None:
    create_account(session, "a1", industry=None)

    refresh(session)

    row = only_intervention(session)
    assert (row.playbook, row.details["evidence"]) == (
        "know_the_account",
        {"missing": ["industry"]},
    )


def test_a_churned_account_gets_a_suggestion_once_the_cause_is_fixed(session: Session) -> None:
    create_account(session, "a1", "churned", status="churned", band="unknown", mrr_cents=0)
    refresh(session)
    before = suggested_playbooks(session)
    session.add(
        FeedbackItem(
            workspace_id="acme",
            feedback_id="f1",
            account_id="a1",
            kind="complaint",
            topic="slow exports",
            status="fixed",
            at=NOW - timedelta(days=60),
            known_on=TODAY - timedelta(days=60),
            resolved_at=NOW - timedelta(days=1),
        )
    )
    session.flush()

    refresh(session)

    assert (before, suggested_playbooks(session)) == ([], ["return_after_churn"])


def test_of_two_suggestions_of_a_merged_account_one_stays(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")
    for name in ("one", "two"):
        factories.intervention(session, id=f"int_{name}", playbook="find_next_champion")

    refresh(session)

    assert suggested_playbooks(session) == ["find_next_champion"]


def test_templates_name_the_plan(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")
    session.get_one(HealthScore, ("acme", "a1")).plan = "pro"
    session.flush()
    names: dict[str, Any] = {"stored": {}, "names": {}, "plan_names": {"pro": "Professional"}}
    [case] = load_cases(session, "acme", ["a1"], {}, **names, now=NOW)

    assert case.field_values["plan"] == "Professional"
