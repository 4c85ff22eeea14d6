"""A sentence says why an account has no score, and when there will be one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.languages import Language
from app.health.scoring import service
from app.health.scoring.assess import HealthStatus
from app.health.status_reasons import status_reason
from app.tables import HealthScore, Source, StaleAccount
from tests import factories
from tests.health.crowd import NOW, crowd, name_events

TODAY = NOW.date()
START = date(2026, 3, 2)
FIRST_SCORE = date(2026, 3, 30)
"""28 days after the start: 2 + 28 = 30."""
FEW_PEERS = "There are too few accounts to compare with ({} of the 20 needed)."


def get_health(client: TestClient, account_id: str = "a1", **params: str) -> Any:  # noqa: ANN401
    found = client.get(f"/api/v1/accounts/{account_id}/health", params=params)
    assert found.status_code == 200
    return found.json()


def refresh(client: TestClient, account_id: str = "a1") -> Any:  # noqa: ANN401
    return client.post(f"/api/v1/accounts/{account_id}/health/refresh").json()


def test_an_account_that_was_never_scored_will_be(client: TestClient, session: Session) -> None:
    factories.account(session)

    reason = "The account is not scored yet. It is scored within about a minute."
    assert get_health(client)["status_reason"] == reason


def test_without_event_and_paid_day_there_is_no_start(client: TestClient, session: Session) -> None:
    factories.account(session)

    found = refresh(client)

    assert found["status"] == "new"
    assert found["status_reason"].startswith(
        "No event and no paid day of the account is known yet."
        " The first score can come 28 days after the first one. " + FEW_PEERS.format(1)
    )


def test_a_new_account_names_the_day_of_its_first_score(
    client: TestClient, session: Session
) -> None:
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    factories.account(session)
    for day in (START, TODAY):
        factories.usage(session, day)
    factories.first_use(session, START)

    found = refresh(client)

    assert (found["status"], found["partial_window_days"]) == ("new", 17)  # 2 to 18 March
    assert found["status_reason"] == (
        f"The account started on {START}. The first score can come on {FIRST_SCORE}, 28 days later."
    )
    for day, status in ((FIRST_SCORE - timedelta(days=1), "new"), (FIRST_SCORE, "ok")):
        now = datetime.combine(day, datetime.min.time(), UTC)
        [scored] = service.refresh(session, "acme", ["a1"], as_of=day, now=now)
        assert scored.status == status


def test_a_first_day_says_both_what_the_account_and_what_the_workspace_lacks(
    client: TestClient, session: Session
) -> None:
    """Three accounts began yesterday: the first score can come 28 days later, in 27 days.

    Without seats and end customers only breadth (1) and momentum (0.5) are known: 1.5 of 3.5.
    """
    for number in range(3):
        factories.account(session, f"a{number}")
        for back in (0, 1):
            factories.usage(session, TODAY - timedelta(days=back), account_id=f"a{number}")
        factories.first_use(session, TODAY - timedelta(days=1), account_id=f"a{number}")
    name_events(session, "Export")

    found = refresh(client)

    assert found["status"] == "new"
    assert f"The first score can come on {TODAY + timedelta(days=27)}" in found["status_reason"]
    assert FEW_PEERS.format(3) in found["status_reason"]
    assert "have 42.9 % of the weight; a score needs 50 %." in found["status_reason"]


@pytest.mark.parametrize(("accounts", "status"), [(19, "insufficient_data"), (20, "ok")])
def test_too_few_peers_are_counted(
    client: TestClient, session: Session, accounts: int, status: str
) -> None:
    """Below 20 accounts reach is unknown, because no account has a number of end customers.

    Known are breadth (1), depth (1) and momentum (0.5): 2.5 of 3.5. From 20 accounts on reach (1)
    has a rank, and everything is known.
    """
    crowd(session, range(1, accounts + 1))
    name_events(session, "Export", "Share")
    factories.scorecard(session, {"default": {"min_coverage": 0.8}})

    found = refresh(client, "a010")

    assert found["status"] == status
    if status == "ok":
        assert found["status_reason"] is None
        return
    assert found["coverage"] == pytest.approx(2.5 / 3.5)
    assert found["status_reason"] == (
        FEW_PEERS.format(19) + " The benchmark is provisional and is fitted again as accounts and"
        " events come in. Until then, usage counts only as a share of a known total, such as the"
        " seats. The known measures have 71.4 % of the weight; a score needs 80 %."
        " Not known: reach."
    )


def test_a_paying_account_without_events_lacks_events(client: TestClient, session: Session) -> None:
    factories.account(session)
    factories.subscription(session)

    found = refresh(client)

    assert (found["status"], found["coverage"]) == ("insufficient_data", 0)
    assert found["status_reason"].startswith("No event of the account is known yet. ")


def test_a_silent_source_is_named_with_its_last_event(client: TestClient, session: Session) -> None:
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    refresh(client, "a010")
    silent_since = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
    session.add(
        Source(
            workspace_id="acme",
            key_id="k1",
            last_event_at=silent_since,
            silent_since=silent_since,
        )
    )
    session.add(StaleAccount(workspace_id="acme", account_id="a010", key_id="k1"))
    session.flush()

    found = refresh(client, "a010")

    assert (found["status"], found["value"] is not None) == ("stale", True)
    assert found["status_reason"] == (
        "The source of its events has been silent since 2026-03-16 09:30 UTC."
        " The last score is shown until it sends events again."
    )


def test_churned_and_excluded_accounts_say_so(client: TestClient, session: Session) -> None:
    factories.account(session)
    factories.subscription(session, ends_on=date(2026, 3, 1))
    factories.account(session, "test", excluded=True)

    reasons = [refresh(client, key)["status_reason"] for key in ("a1", "test")]

    assert reasons[0] == (
        "The account has not paid since 2026-03-01. It has a score again once it pays."
    )
    assert reasons[1].startswith("The account is excluded from all figures")


def test_the_reason_is_chinese_on_request_also_for_several_accounts(
    client: TestClient, session: Session
) -> None:
    factories.account(session)
    factories.usage(session, START)
    factories.first_use(session, START)
    refresh(client)

    several = client.get("/api/v1/health-scores", params={"account_id": "a1", "lang": "zh-CN"})

    reason = get_health(client, lang="zh")["status_reason"]
    assert "该客户始于 2026-03-02" in reason
    assert "最早在 2026-03-30 会有第一个分数。" in reason
    assert several.json()["items"][0]["status_reason"] == reason


def test_an_unknown_language_is_refused(client: TestClient, session: Session) -> None:
    factories.account(session)

    answer = client.get("/api/v1/accounts/a1/health", params={"lang": "tlh"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize("status", [HealthStatus.OK, HealthStatus.OVERRIDDEN])
def test_a_score_needs_no_reason(status: HealthStatus) -> None:
    assert status_reason(status, 1, {}, Language.EN) is None


@pytest.mark.parametrize("status", HealthStatus)
@pytest.mark.parametrize("details", [{}, {"inputs": {"first_used_on": None}}])
def test_scores_of_older_versions_have_a_reason_too(
    client: TestClient, session: Session, status: HealthStatus, details: dict[str, Any]
) -> None:
    factories.account(session)
    session.add(HealthScore(workspace_id="acme", account_id="a1", status=status, details=details))
    session.flush()

    reason = get_health(client)["status_reason"]

    assert (reason is None) is (status in {HealthStatus.OK, HealthStatus.OVERRIDDEN})
    assert reason != ""
