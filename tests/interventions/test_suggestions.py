from datetime import timedelta
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.interventions import suggestion_service
from app.interventions.states import InterventionState
from app.tables import AccountSignal, Change, ChurnRisk, FeedbackItem, Intervention, Message
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


def close(session: Session, name: str) -> None:
    session.execute(
        update(AccountSignal).where(AccountSignal.signal == name).values(cleared_at=NOW)
    )


def only(session: Session) -> Intervention:
    session.expire_all()
    return session.scalars(select(Intervention)).one()


def test_an_open_signal_leads_to_a_suggestion(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")
    create_account(session, "a2")

    refresh(session, "a1", "a2")

    row = only(session)
    assert (row.account_id, row.playbook, row.state) == ("a1", "find_next_champion", "suggested")
    assert (row.signal, row.rank) == ("champion_inactive", 1)
    assert row.value_cents == pytest.approx(0.15 * 1200_00 * 0.30 * 0.8 - 1000)
    assert row.details["effect"]["risk_basis"] == "band"
    assert row.details["effect"]["evidence"] == "prior"


def test_the_probability_of_a_model_takes_the_place_of_the_band(session: Session) -> None:
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

    effect = only(session).details["effect"]
    assert (effect["risk"], effect["risk_basis"]) == (0.4, "model")


def test_at_most_three_are_suggested_the_most_worth_first(session: Session) -> None:
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

    first, again = refresh(session), refresh(session)

    assert (first, again) == (2, 0)


def test_what_has_lost_its_reason_lapses_and_comes_back_under_its_id(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")
    refresh(session)
    row_id = only(session).id
    close(session, "champion_inactive")

    refresh(session, days=1)
    lapsed = only(session).state
    open_signal(session, "a1", "champion_inactive")
    refresh(session, days=2)

    row = only(session)
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
def test_what_is_open_recent_or_dismissed_is_not_suggested(
    session: Session, columns: dict[str, Any], *, is_suggested: bool
) -> None:
    """The cooldown of this playbook is 30 days."""
    create_account(session, "a1", "champion_inactive")
    factories.intervention(session, playbook="find_next_champion", **columns)

    refresh(session)

    assert suggested_playbooks(session) == (["find_next_champion"] if is_suggested else [])


def test_what_somebody_decided_in_the_meantime_is_left_alone(session: Session) -> None:
    """A refresh that read a suggestion before it was accepted does not undo that."""
    create_account(session, "a1", "champion_inactive")
    refresh(session)
    session.execute(update(Intervention).values(state="accepted", decided_at=NOW))

    refresh(session)

    assert only(session).state == "accepted"


def test_others_are_told_once_of_what_is_new(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")

    for _ in range(2):
        refresh(session)

    body = orjson.loads(session.scalars(select(Message.body)).one())
    assert sent_messages(session) == [("suggestion.created", "a1")]
    assert body["data"]["playbook"] == "find_next_champion"
    assert body["data"]["suggestion_id"] == only(session).id
    assert body["data"]["currency"] == "USD"


def test_what_arises_silently_is_told_at_the_next_refresh_that_is_not(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")

    refresh(session, silent=True)
    silently = sent_messages(session)
    refresh(session, days=1)

    assert silently == []
    assert sent_messages(session) == [("suggestion.created", "a1")]


@pytest.mark.parametrize(("days_gone", "messages"), [(3, 1), (9, 2)])
def test_what_comes_and_goes_is_told_once(session: Session, days_gone: int, messages: int) -> None:
    create_account(session, "a1", "champion_inactive")
    refresh(session)
    close(session, "champion_inactive")
    refresh(session, days=1)
    open_signal(session, "a1", "champion_inactive")

    refresh(session, days=1 + days_gone)

    assert len(sent_messages(session)) == messages


def test_polling_readers_hear_of_every_change_of_state(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")
    refresh(session)
    close(session, "champion_inactive")
    refresh(session, days=1)

    changes = session.scalars(select(Change).order_by(Change.number)).all()

    assert [(each.data["state_before"], each.data["state"]) for each in changes] == [
        (None, "suggested"),
        ("suggested", "lapsed"),
    ]


def test_a_day_that_is_over_suggests_nothing(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")

    suggestion_service.refresh(session, "acme", ["a1"], as_of=TODAY - timedelta(days=1), now=NOW)

    assert suggested_playbooks(session) == []


def test_where_the_source_is_silent_nothing_is_suggested_anew(session: Session) -> None:
    create_account(session, "a1", "champion_inactive", status="stale")

    refresh(session)

    assert suggested_playbooks(session) == []


def test_what_is_not_known_of_an_account_is_asked_for(session: Session) -> None:
    create_account(session, "a1", industry=None)

    refresh(session)

    row = only(session)
    assert (row.playbook, row.details["evidence"]) == (
        "know_the_account",
        {"missing": ["industry"]},
    )


def test_who_has_left_is_written_to_once_the_cause_is_fixed(session: Session) -> None:
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


def test_of_an_account_that_was_merged_in_one_of_two_is_kept(session: Session) -> None:
    create_account(session, "a1", "champion_inactive")
    for name in ("one", "two"):
        factories.intervention(session, id=f"int_{name}", playbook="find_next_champion")

    refresh(session)

    assert suggested_playbooks(session) == ["find_next_champion"]


def test_the_suggestions_of_an_account_are_read_in_either_language(
    client: TestClient, session: Session
) -> None:
    create_account(session, "a1", "champion_inactive", "price_rise", name="Acme Ltd")
    refresh(session)
    session.commit()

    english = client.get("/api/v1/accounts/a1/suggestions").json()["items"]
    chinese = client.get("/api/v1/accounts/a1/suggestions", params={"lang": "zh"}).json()["items"]

    assert [item["playbook"] for item in english] == ["find_next_champion", "right_size"]
    assert [item["rank"] for item in english] == [1, 2]
    assert english[0]["next_step"].startswith("Find out at Acme Ltd")
    assert chinese[0]["next_step"].startswith("了解 Acme Ltd")
    assert english[0]["effect"]["n"] == 0
    assert english[0]["severity"] == "medium"
    assert client.get("/api/v1/accounts/nobody/suggestions").status_code == 404


def test_the_suggestions_of_all_are_listed_by_value_in_pages(
    client: TestClient, session: Session
) -> None:
    for number in range(5):
        create_account(
            session, f"a{number}", "champion_inactive", mrr_cents=100_00 * (number + 1), owner="kim"
        )
    refresh(session, *(f"a{number}" for number in range(5)))
    session.commit()

    found, cursor = [], None
    while True:
        asked = {"limit": 2, "owner": "kim"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/v1/suggestions", params=asked).json()
        found += [item["account_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert found == ["a4", "a3", "a2", "a1", "a0"]
    assert client.get("/api/v1/suggestions?owner=lee").json()["items"] == []
    assert client.get("/api/v1/suggestions?playbook=right_size").json()["items"] == []
