"""Why a risk is by rules is said as it is: too few accounts have left only if that is why."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.churn.model.rules_reason import RulesReason
from app.churn.model.training import find_shortage
from app.churn.scoring import service
from app.core.arrays import np
from app.tables import ChurnRisk, Job
from tests import factories
from tests.churn.panels import build_panel
from tests.conftest import NOW

TODAY = NOW.date()
NO_PROBABILITY = "so no probability is claimed."


def confidence(client: TestClient, session: Session, lang: str = "en") -> str:
    factories.account(session)
    factories.subscription(session)
    factories.usage(session, TODAY - timedelta(days=3))
    factories.first_use(session, TODAY - timedelta(days=3))
    if session.get(ChurnRisk, ("acme", "a1")) is None:
        service.refresh(session, "acme", ["a1"], as_of=TODAY, now=NOW)
    found = client.get("/api/v1/accounts/a1/churn-risk", params={"lang": lang}).json()
    assert (found["stage"], found["probability"]) == ("rules", None)
    return str(found["confidence"])


def add_training(session: Session, state: str, **progress: object) -> None:
    times = {"created_at": NOW, "lease_until": NOW, "finished_at": NOW}
    job = Job(
        id="job_1",
        workspace_id="acme",
        kind="train_model",
        config={},
        state=state,
        created_by="test",
        progress=progress,
        **times,
    )
    session.add(job)
    session.flush()


def test_on_the_first_day_no_training_has_ended(client: TestClient, session: Session) -> None:
    assert confidence(client, session) == (
        "Based on rules: no training has ended yet, and the first one needs 60 days of history,"
        f" {NO_PROBABILITY}"
    )


@pytest.mark.parametrize(
    ("shortage", "phrase"),
    [
        (RulesReason("short_history"), "the history is too short"),
        (RulesReason("too_few_churned", 3), "too few accounts have left (3, and a model needs 8)"),
        (RulesReason("nobody_stayed"), "every observed account has left"),
    ],
)
def test_the_last_training_says_what_it_lacked(
    client: TestClient, session: Session, shortage: RulesReason, phrase: str
) -> None:
    factories.workspace(session)
    stored = {"code": shortage.code, "churned": shortage.churned}
    add_training(session, "done", shortage=stored)

    assert phrase in confidence(client, session)


def test_a_failed_training_says_so(client: TestClient, session: Session) -> None:
    factories.workspace(session)
    add_training(session, "failed")

    assert "the last training failed" in confidence(client, session)


def test_an_older_training_gives_no_reason(client: TestClient, session: Session) -> None:
    factories.workspace(session)
    add_training(session, "done")

    whole = f"Based on rules: no model learnt from this workspace is active, {NO_PROBABILITY}"
    assert confidence(client, session) == whole


@pytest.mark.parametrize(
    ("state", "phrase"),
    [
        ("shadow", "a model was trained and has not taken over"),
        ("degraded", "no longer fitted"),
        ("rolled_back", "by a person"),
    ],
)
def test_a_model_out_of_service_is_the_reason(
    client: TestClient, session: Session, state: str, phrase: str
) -> None:
    factories.churn_model(session, state, retired_at=None if state == "shadow" else NOW)

    assert phrase in confidence(client, session)


def test_a_model_that_was_just_activated_has_not_evaluated_yet(
    client: TestClient, session: Session
) -> None:
    confidence(client, session)
    factories.churn_model(session)

    found = client.get("/api/v1/accounts/a1/churn-risk", params={"lang": "zh"}).json()
    assert "已启用的模型尚未评估该客户" in found["confidence"]


def test_the_shortage_of_a_panel() -> None:
    """No rows; one account and it left; seven of ten left; eight of ten left."""
    rows = [0.0] * 3
    expected: tuple[tuple[list[float], RulesReason | None], ...] = (
        ([], RulesReason("short_history")),
        ([1.0], RulesReason("nobody_stayed")),
        ([1.0] * 7 + rows, RulesReason("too_few_churned", 7)),
        ([1.0] * 8 + rows, None),
    )
    for outcomes, shortage in expected:
        panel = build_panel(np.zeros((len(outcomes), 1)), np.array(outcomes), accounts=99)
        assert find_shortage(panel) == shortage


@pytest.mark.parametrize("back", [0, 9])
def test_an_account_is_not_called_unused_beside_its_use_of_now(
    client: TestClient, session: Session, back: int
) -> None:
    """Yesterday, the day of the risk, no use was known; today came use of today, or older use."""
    factories.account(session)
    service.refresh(session, "acme", ["a1"], as_of=TODAY, now=NOW)
    before = client.get("/api/v1/accounts/a1/churn-risk").json()
    day = TODAY - timedelta(days=back)
    factories.usage(session, day, known_on=TODAY)
    row = factories.first_use(session, day)
    row.known_on = TODAY
    session.flush()

    envelope = client.post("/api/v1/accounts/a1/health/refresh").json()
    [item] = client.get("/api/v1/accounts").json()["items"]
    risk = client.get("/api/v1/accounts/a1/churn-risk").json()

    assert before["status"] == "never_used"
    for found in (envelope, item):
        assert (found["last_used_on"], found["churn_risk"]["status"]) == (day.isoformat(), None)
    assert risk["status"] is None
