from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app import pipeline
from app.health.definition.measures import CardMeasure, SignalSource, ThresholdsTransform
from app.health.scoring import service
from app.health.scoring.evaluate import source_value
from app.tables import Due
from tests import factories
from tests.conftest import NOW
from tests.health.builders import make_facts

CHAMPION = {"signal": "champion_inactive"}
STEPS = {"kind": "thresholds", "below": 100, "steps": [{"at_least": 1, "score": 20}]}
CONFIG: dict[str, Any] = {
    "default": {"measures": [{"name": "champion", "source": CHAMPION, "transform": STEPS}]}
}
TODAY = NOW.date()


@pytest.mark.parametrize(
    ("value", "signals", "expected"),
    [
        ("open", {"champion_inactive": 3}, 1),
        ("severity", {"champion_inactive": 3}, 3),
        ("open", {"dormant": 4}, 0),
        ("severity", {}, 0),
    ],
)
def test_a_signal_as_a_number(value: Any, signals: dict[str, int], expected: float) -> None:  # noqa: ANN401
    source = SignalSource(signal="champion_inactive", value=value)

    assert source_value(source, make_facts(signals=signals)) == expected


def test_unknown_signals_and_percentiles_of_signals_are_rejected() -> None:
    with pytest.raises(ValidationError, match="Unknown signal none_such"):
        SignalSource(signal="none_such")
    with pytest.raises(ValidationError, match="use thresholds"):
        CardMeasure.model_validate(
            {"name": "c", "source": CHAMPION, "transform": {"kind": "percentile"}}
        )
    measure = CardMeasure.model_validate({"name": "c", "source": CHAMPION, "transform": STEPS})
    assert isinstance(measure.transform, ThresholdsTransform)


@pytest.fixture
def silent_champion(session: Session) -> str:
    """An account whose champion has been inactive for 20 days: the scorecard's only measure."""
    factories.account(session, "a1")
    factories.first_use(session, factories.LONG_AGO.date())
    factories.subscription(session)
    for back in range(20, 92):
        factories.usage(session, TODAY - timedelta(days=back), user_id="ada", events=3)
    factories.scorecard(session, CONFIG)
    return "a1"


def score(session: Session, account_id: str, *, days: int = 0) -> float | None:
    as_of = TODAY - timedelta(days=days)
    [found] = service.refresh(session, "acme", [account_id], as_of=as_of, now=NOW)
    return found.score


def test_a_signal_counts_from_the_refresh_after_the_one_that_opened_it(
    session: Session, silent_champion: str
) -> None:
    pipeline.refresh(session, "acme", [silent_champion], as_of=TODAY, now=NOW)
    due = session.query(Due).filter_by(account_id=silent_champion).count()

    assert due == 1
    assert score(session, silent_champion) == 20


def test_without_changes_no_account_is_queued_again(session: Session, silent_champion: str) -> None:
    pipeline.refresh(session, "acme", [silent_champion], as_of=TODAY, now=NOW)
    session.execute(delete(Due))

    pipeline.refresh(session, "acme", [silent_champion], as_of=TODAY, now=NOW)

    assert session.query(Due).count() == 0


def test_a_past_day_has_the_signals_that_were_open_then(
    session: Session, silent_champion: str
) -> None:
    factories.signal(
        session,
        signal="champion_inactive",
        opened_at=NOW - timedelta(days=9),
        cleared_at=NOW - timedelta(days=3),
    )

    assert [score(session, silent_champion, days=days) for days in (1, 5, 10)] == [100, 20, 100]


def test_the_explanation_says_that_the_signal_moved_the_score(
    client: TestClient, session: Session, silent_champion: str
) -> None:
    factories.signal(
        session, signal="champion_inactive", opened_at=NOW - timedelta(days=2, hours=13)
    )
    for days in (5, 1):
        score(session, silent_champion, days=days)
    session.commit()

    answer = client.get(
        f"/api/v1/accounts/{silent_champion}/health/explanation",
        params={"from": "2026-03-13", "to": "2026-03-17"},
    ).json()

    [row] = answer["change"]["rows"]
    assert (row["kind"], row["points"]) == ("behaviour", -80)
    assert row["sentence"].startswith('"champion" rose from 0 to 1: ')
