"""The accounts that need something now: which, in which order, why, and what to do."""
# ruff: noqa: RUF001 - Chinese punctuation

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.languages import Language
from app.core.pagination import Paging
from app.reports.today import service
from app.tables import AlertState, HealthScore, ProductFeature, Task, User
from tests import factories
from tests.conftest import NOW
from tests.statements import recorded_statements

KIM, LEE = "kim@example.com", "lee@example.com"
TODAY = NOW.date()
TEXTS = {
    "en": {"name": "Wake a dormant account", "next_step": "Call Acme."},
    "zh": {"name": "唤醒沉睡客户", "next_step": "致电 Acme。"},
}


@pytest.fixture(autouse=True)
def workspace(client: TestClient) -> None:
    """The workspace ``acme``."""
    del client


def account(session: Session, key: str, cents: int = 100_00, **columns: Any) -> None:  # noqa: ANN401
    """Insert an account at risk: 30 % of twelve months of its MRR are at stake."""
    score = {"band": "at_risk", "status": "ok", "score": 20.0, "mrr_cents": cents}
    score |= {"details": columns.pop("details", {})} | columns.pop("health", {})
    factories.account(session, key, **{"owner": KIM, **columns})
    session.add(HealthScore(workspace_id="acme", account_id=key, **score))
    session.flush()


def task(session: Session, key: str, account_id: str, due_on: date | None, **columns: Any) -> None:  # noqa: ANN401
    row = {"title": "Call", "owner": KIM, "author": KIM, "created_at": NOW, **columns}
    session.add(Task(workspace_id="acme", id=key, account_id=account_id, due_on=due_on, **row))


def state(session: Session, account_id: str, phase: str, **columns: Any) -> None:  # noqa: ANN401
    row = {"rule_key": "health_at_risk", "sequence": 1, "phase": phase, "since": NOW, **columns}
    session.add(AlertState(workspace_id="acme", account_id=account_id, **row))


def today(client: TestClient, **params: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    answer = client.get("/api/v1/today", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def ids(client: TestClient, **params: Any) -> list[str]:  # noqa: ANN401
    return [each["account_id"] for each in today(client, **params)]


def test_a_quiet_day_is_an_empty_list(client: TestClient, session: Session) -> None:
    account(session, "a1")
    session.commit()

    assert today(client) == []


def test_accounts_with_something_to_do_are_listed_most_money_first(
    client: TestClient, session: Session
) -> None:
    for key, cents in (("alert", 300_00), ("step", 100_00), ("task", 200_00), ("waits", 400_00)):
        account(session, key, cents)
    factories.alert(session, "alert")
    factories.intervention(session, "step")
    task(session, "t1", "task", TODAY)
    state(session, "waits", "pending", check_at=NOW + timedelta(hours=6))
    session.commit()

    listed = today(client)

    assert [(each["account_id"], each["revenue_at_risk_cents"]) for each in listed] == [
        ("waits", 12 * 400_00 * 3 // 10),
        ("alert", 12 * 300_00 * 3 // 10),
        ("task", 12 * 200_00 * 3 // 10),
        ("step", 12 * 100_00 * 3 // 10),
    ]
    assert listed[0]["arr_cents"] == 12 * 400_00


def test_what_is_handled_later_or_over_is_not_listed(client: TestClient, session: Session) -> None:
    for key in ("acked", "snoozed", "resolved", "accepted", "later", "done", "recovering"):
        account(session, key)
    account(session, "gone", health={"status": "churned"})
    factories.alert(session, "acked", acknowledged_at=NOW)
    factories.alert(session, "snoozed")
    state(session, "snoozed", "firing", snoozed_until=NOW + timedelta(days=1))
    factories.alert(session, "resolved", resolved_at=NOW)
    factories.alert(session, "gone")
    factories.intervention(session, "accepted", state="accepted")
    task(session, "t1", "later", TODAY + timedelta(days=1))
    task(session, "t2", "later", None)
    task(session, "t3", "done", TODAY, done_at=NOW)
    state(session, "recovering", "recovering")
    session.commit()

    assert today(client) == []


def test_an_owner_sees_own_accounts_and_those_with_an_own_task(
    client: TestClient, session: Session
) -> None:
    account(session, "own", 100_00)
    account(session, "other", 200_00, owner=LEE)
    account(session, "helps", 300_00, owner=LEE)
    for key in ("own", "other"):
        factories.alert(session, key)
    task(session, "t1", "helps", TODAY - timedelta(days=3))
    session.commit()

    assert ids(client, owner=KIM) == ["helps", "own"]
    assert ids(client, owner=LEE) == ["helps", "other"]
    assert ids(client) == ["helps", "other", "own"]
    assert today(client, owner=KIM)[0]["tasks"] == [
        {"id": "t1", "title": "Call", "owner": KIM, "due_on": "2026-03-15"}
    ]


def test_an_account_has_its_days_its_reason_and_its_next_step_in_both_languages(
    client: TestClient, session: Session
) -> None:
    """The most severe signal is the reason: of two high ones the cause, here the champion."""
    days = {"notice_on": "2026-03-30", "renewal_on": "2026-04-29"}
    account(session, "a1", details=days)
    session.add(User(workspace_id="acme", user_id="ada", name="Ada"))
    session.add(ProductFeature(workspace_id="acme", key="export", name="Export", event_names=[]))
    evidence = {"user_id": "ada", "days": 20, "event_share": 0.5}
    factories.signal(session, "a1", signal="dormant", severity="high", evidence={"days": 14})
    factories.signal(session, "a1", signal="champion_inactive", severity="high", evidence=evidence)
    factories.signal(session, "a1", signal="seats_idle", severity="low")
    factories.signal(session, "a1", signal="nps_promoter", severity="info")
    factories.intervention(session, "a1", id="int_2", rank=2, details={"texts": {}})
    factories.intervention(session, "a1", id="int_1", rank=1, details={"texts": TEXTS})
    session.commit()

    [english], [chinese] = today(client), today(client, lang="zh")

    assert (english["days_to_notice"], english["days_to_renewal"]) == (12, 42)
    assert english["why"] == (
        "The champion, Ada, has not used the product for 20 days; 50 % of all use was theirs."
    )
    assert chinese["why"].startswith("关键用户 Ada ")
    assert english["next_step"] == {
        "id": "int_1",
        "playbook": "right_size",
        "title": "Wake a dormant account",
        "next_step": "Call Acme.",
        "value_cents": 100.0,
    }
    assert chinese["next_step"]["title"] == "唤醒沉睡客户"


def test_without_a_signal_the_alert_the_breach_or_the_task_is_the_reason(
    client: TestClient, session: Session
) -> None:
    for position, key in enumerate(("a", "b", "c", "d")):
        account(session, key, 400_00 - position)
    factories.alert(session, "a")
    state(session, "b", "pending", check_at=NOW + timedelta(hours=6))
    task(session, "t1", "c", TODAY, title="Send the offer")
    factories.intervention(session, "d")
    session.commit()

    assert [each["why"] for each in today(client)] == [
        'The alert "Health at risk" has been open since 2025-01-01.',
        'The rule "Health at risk" is breached, but not yet for long enough to open an alert.',
        'The task "Send the offer" was due on 2026-03-18.',
        "There is a suggestion for the account.",
    ]
    assert [each["why"] for each in today(client, lang="zh")] == [
        "预警“Health at risk”自 2025-01-01 起未处理。",
        "规则“Health at risk”已触发，但持续时间还不够，尚未产生预警。",
        "任务“Send the offer”的截止日期是 2026-03-18。",
        "这个客户有一条建议。",
    ]
    assert today(client)[1]["pending"] == [
        {
            "rule": "health_at_risk",
            "name": "Health at risk",
            "since": "2026-03-18T12:00:00Z",
            "opens_at": "2026-03-18T18:00:00Z",
        }
    ]


def test_pages_go_on_where_they_stopped_although_amounts_change(
    client: TestClient, session: Session
) -> None:
    for key, cents in (("a", 300_00), ("b", 200_00), ("c", 100_00)):
        account(session, key, cents)
        factories.alert(session, key)
    session.commit()

    first = client.get("/api/v1/today", params={"limit": 1}).json()
    session.get_one(HealthScore, ("acme", "b")).mrr_cents = 900_00
    session.commit()
    second = client.get("/api/v1/today", params={"limit": 2, "cursor": first["next_cursor"]}).json()

    listed = [each["account_id"] for each in (*first["items"], *second["items"])]
    assert (listed, second["next_cursor"]) == (["a", "b", "c"], None)


def test_the_first_page_takes_two_statements_however_many_accounts_it_has(session: Session) -> None:
    for number in range(30):
        account(session, f"a{number}")
        factories.alert(session, f"a{number}")
        factories.intervention(session, f"a{number}")
        factories.signal(session, f"a{number}")
    session.flush()

    with recorded_statements() as statements:
        page = service.load_page(
            session,
            "acme",
            owner=None,
            paging=Paging(20, None),
            now=NOW,
            language=Language.EN,
        )

    assert (len(page.items), len(statements)) == (20, 2)


def test_the_list_is_read_as_csv(client: TestClient, session: Session) -> None:
    account(session, "a1")
    factories.alert(session, "a1")
    session.commit()

    answer = client.get("/api/v1/today", headers={"Accept": "text/csv"})

    assert answer.text.startswith("account_id,name,owner,score,band,revenue_at_risk_cents")
