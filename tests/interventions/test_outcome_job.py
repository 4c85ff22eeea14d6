from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.interventions.outcome_job import evaluate_outcomes
from app.tables import Intervention
from tests import factories
from tests.conftest import NOW
from tests.interventions.scenario import TODAY, create_account, open_signal, record_history

DONE_ON = TODAY - timedelta(days=31)


@pytest.fixture
def done(session: Session) -> Intervention:
    factories.workspace(session)
    create_account(session, "a1")
    record_history(session, "a1", DONE_ON, score=40.0)
    record_history(session, "a1", DONE_ON + timedelta(days=30), score=46.0)
    row = factories.intervention(
        session,
        state="done",
        baseline_on=DONE_ON,
        done_at=NOW - timedelta(days=31),
        outcome_due_on=DONE_ON + timedelta(days=30),
    )
    session.commit()
    return row


def test_the_outcome_is_stored_after_thirty_days(
    sessions: SessionFactory, session: Session, done: Intervention
) -> None:
    assert evaluate_outcomes(sessions, now=NOW) == 1
    assert evaluate_outcomes(sessions, now=NOW) == 0

    session.refresh(done)
    assert done.state == "done"
    assert done.outcomes["30"] == {
        "on": (DONE_ON + timedelta(days=30)).isoformat(),
        "retained": True,
        "health_score_change": 6.0,
        "measure_changes": {"breadth": 6.0},
        "success_measure": "signal_cleared",
        "succeeded": True,
        "label": "observational",
    }


def test_the_outcome_waits_until_its_day_is_over(
    sessions: SessionFactory, done: Intervention
) -> None:
    assert evaluate_outcomes(sessions, now=NOW - timedelta(days=1)) == 0
    assert done.outcomes == {}


def test_a_signal_that_was_open_on_that_day_is_no_success(
    sessions: SessionFactory, session: Session, done: Intervention
) -> None:
    open_signal(session, "a1", "price_rise").cleared_at = NOW
    session.commit()

    evaluate_outcomes(sessions, now=NOW)

    session.refresh(done)
    assert done.outcomes["30"]["succeeded"] is False


def test_the_intervention_is_evaluated_after_ninety_days(
    sessions: SessionFactory, session: Session, done: Intervention
) -> None:
    record_history(session, "a1", DONE_ON + timedelta(days=90), score=0.0, status="churned")
    session.commit()

    evaluate_outcomes(sessions, now=NOW)
    evaluate_outcomes(sessions, now=NOW + timedelta(days=59))
    before = done.state
    evaluate_outcomes(sessions, now=NOW + timedelta(days=60))

    session.refresh(done)
    assert (before, done.state, done.outcome_due_on) == ("done", "evaluated", None)
    assert done.outcomes["90"]["retained"] is False
    assert done.outcomes["90"]["succeeded"] is False


def test_an_outcome_within_an_experiment_is_labelled_experimental(
    sessions: SessionFactory, session: Session, done: Intervention
) -> None:
    done.experiment_id = "exp_1"
    session.commit()

    evaluate_outcomes(sessions, now=NOW)

    session.refresh(done)
    assert done.outcomes["30"]["label"] == "experimental"


def test_an_unknown_outcome_is_null(sessions: SessionFactory, session: Session) -> None:
    factories.workspace(session)
    create_account(session, "a1")
    row = factories.intervention(
        session, state="done", baseline_on=DONE_ON, outcome_due_on=DONE_ON + timedelta(days=30)
    )
    session.commit()

    evaluate_outcomes(sessions, now=NOW)

    session.refresh(row)
    assert row.outcomes["30"]["retained"] is None
    assert row.outcomes["30"]["succeeded"] is None


@pytest.mark.parametrize(
    ("renewed_after", "known_after", "retained"),
    [(20, 20, True), (31, 31, True), (32, 32, False), (20, 32, False), (None, None, False)],
)
def test_an_account_that_renews_within_the_grace_after_the_day_is_retained(
    sessions: SessionFactory,
    session: Session,
    renewed_after: int | None,
    known_after: int | None,
    retained: bool,  # noqa: FBT001
) -> None:
    """Its contract ends five days before the due day; the grace is 31 days from that end."""
    due_on = TODAY - timedelta(days=1)
    ended_on = due_on - timedelta(days=5)
    row = churned_intervention(session, ended_on, due_on)
    if renewed_after is not None and known_after is not None:
        starts_on, known_on = (
            ended_on + timedelta(days=days) for days in (renewed_after, known_after)
        )
        factories.subscription(session, starts_on=starts_on, known_on=known_on)
    record_history(session, "a1", ended_on + timedelta(days=31), score=52.0)
    session.commit()

    waiting = [evaluate_outcomes(sessions, now=NOW + timedelta(days=days)) for days in (0, 25)]
    decided = evaluate_outcomes(sessions, now=NOW + timedelta(days=26))

    session.refresh(row)
    outcome = row.outcomes["30"]
    assert (waiting, decided, outcome["retained"]) == ([0, 0], 1, retained)
    day = ended_on + timedelta(days=31) if retained else due_on
    assert outcome["on"] == day.isoformat()
    assert outcome["health_score_change"] == (12.0 if retained else None)


def test_an_account_that_can_no_longer_renew_is_decided_at_once(
    sessions: SessionFactory, session: Session
) -> None:
    due_on = TODAY - timedelta(days=1)
    row = churned_intervention(session, TODAY - timedelta(days=32), due_on)

    assert evaluate_outcomes(sessions, now=NOW) == 1

    session.refresh(row)
    assert row.outcomes["30"]["retained"] is False


def churned_intervention(session: Session, ended_on: date, due_on: date) -> Intervention:
    """An account whose contract has ended before the outcome of its intervention is due."""
    factories.workspace(session)
    create_account(session, "a1")
    factories.subscription(session, ends_on=ended_on)
    record_history(session, "a1", DONE_ON, score=40.0)
    record_history(session, "a1", due_on, score=None, status="churned", paid_until=ended_on)
    row = factories.intervention(session, state="done", baseline_on=DONE_ON, outcome_due_on=due_on)
    session.commit()
    return row
