"""Figures of a past day stay as they were, or say which later changes they include."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.tables import Account, AccountBeforeMerge, Event, HealthHistory, User
from tests import factories
from tests.conftest import NOW
from tests.imports.files import run_import
from tests.lifecycle.id_changes import move_account
from tests.reports.kpis.test_feedback import add_feedback
from tests.reports.kpis.test_kpis import ORDER, answer, buy, order
from tests.reports.kpis.test_revenue import add_subscription, get_report

PAST = {"since": "2026-01-01", "until": "2026-03-10"}
CREATED = datetime(2025, 6, 1, tzinfo=UTC)
LASTING: dict[str, dict[str, Any]] = {
    "revenue-retention": {},
    "lifetime-value": {},
    "cohorts": {"since": "2025-06-01"},
    "distribution": {},
    "nps": {},
    "feedback": {},
}
BY_USE: dict[str, dict[str, Any]] = {
    "repurchase-rate": {"within_days": 20},
    "purchase-value": {"months": 1},
    "time-to-first-value": {"events": ORDER, "since": "2025-05-01"},
}
ARR: dict[str, dict[str, Any]] = {"arr-at-risk": {}}
CAUSES: dict[str, dict[str, Any]] = {"churn-causes": {}}


@pytest.fixture(autouse=True)
def _company(session: Session) -> None:
    """Two accounts with the same user, who does the same in both on the same days.

    NPS of four answers: one 10 and one 0 of ada, a 9, a 3: 0. Both accounts buy again after 9 days.
    """
    factories.workspace(session)
    for number, account_id in enumerate(("big", "small")):
        started_on = date(2026, 1, 2 + 3 * number)
        columns = {"segment": account_id, "started_on": started_on, "created_at": CREATED}
        factories.account(session, account_id, **columns)
        ends_on = (None, date(2026, 2, 1))[number]
        add_subscription(session, account_id, (900_00, 100_00)[number], ends_on=ends_on)
        add_feedback(session, account_id, account_id, user_id="ada")
        buy(session, account_id, "2026-01-11", "2026-01-20")
        order(session, account_id, "2026-01-11", 10 + number)
        for user_id, score in (("ada", 10 - 10 * number), (f"of-{account_id}", 9 - 6 * number)):
            response_id = f"{user_id}-{account_id}"
            answer(session, user_id, score, back=20, account_id=account_id, response_id=response_id)
        add_score(session, account_id, 20 + 60 * number)
    for user_id in ("ada", "of-big", "of-small"):
        session.add(User(workspace_id="acme", user_id=user_id, account_id="big"))
    session.flush()
    session.execute(update(Event).values(user_id="ada"))
    session.commit()


def add_score(session: Session, account_id: str, score: float) -> None:
    row = {"as_of": date(2026, 3, 9), "restatement": 0, "change": 0, "status": "ok"}
    row |= {"coverage": 1, "mrr_cents": 100_00, "details": {}, "computed_at": NOW}
    band = "at_risk" if score < 40 else "healthy"
    session.add(
        HealthHistory(workspace_id="acme", account_id=account_id, score=score, band=band, **row)
    )


def figures(client: TestClient, reports: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: get_report(client, name, **(PAST | query)) for name, query in reports.items()}


def changes(found: Any) -> Any:  # noqa: ANN401
    """Return the ``changed_by`` of a report, else of its first KPI; {} if it has none."""
    if isinstance(found, dict) and "changed_by" in found:
        return found["changed_by"]
    parts = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return next((found for found in map(changes, parts) if found), {})


def exclude(client: TestClient, kind: str, id_: str, *, excluded: bool = True) -> None:
    answer = client.patch(f"/api/v1/{kind}/{id_}", json={"excluded": excluded})
    assert answer.status_code == 200, answer.text


def test_the_figures_are_those_worked_out_by_hand(client: TestClient) -> None:
    """GRR: (900 + 0) / 1,000. First value: 224 days after 1 June. Purchases: (10 + 11) / 2."""
    found = figures(client, LASTING | BY_USE)

    assert found["revenue-retention"]["gross_revenue_retention"]["value"] == 0.9
    assert (found["nps"]["value"], found["nps"]["n"]) == (0, 4)
    assert [topic["accounts"] for topic in found["feedback"]["topics"]] == [2]
    assert (found["repurchase-rate"]["numerator"], found["repurchase-rate"]["n"]) == (2, 2)
    assert found["time-to-first-value"]["value"] == 224
    assert found["purchase-value"]["months"][0]["observed"] == 2
    assert found["distribution"]["days"][-1]["accounts"] == 2


@pytest.mark.parametrize("renamed", [False, True])
def test_a_merge_changes_no_past_figure_or_is_named(
    client: TestClient,
    sessions: SessionFactory,
    renamed: bool,  # noqa: FBT001
) -> None:
    lasting, by_use = figures(client, LASTING), figures(client, BY_USE | ARR | CAUSES)

    move_account(client, sessions, "small", "merge", into="big")
    if renamed:
        move_account(client, sessions, "big", "rename", account_id="huge")

    assert figures(client, LASTING) == lasting
    after = figures(client, BY_USE | ARR | CAUSES)
    assert all(changes(found) == {"merges": 1} for found in after.values())
    assert all(changes(found) == {} for found in by_use.values())
    assert (after["repurchase-rate"]["n"], after["time-to-first-value"]["n"]) == (1, 1)
    assert after["arr-at-risk"]["arr_at_risk"]["numerator"] == 12 * 100_00, "both are scored"


def test_a_merge_and_one_after_it_leave_the_first_period_as_it_was(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    factories.account(session, "third", created_at=CREATED, segment="third")
    add_subscription(session, "third", 50_00)
    session.commit()
    before = figures(client, LASTING)

    move_account(client, sessions, "small", "merge", into="big")
    move_account(client, sessions, "big", "merge", into="third")

    assert figures(client, LASTING) == before
    repurchases = figures(client, BY_USE)["repurchase-rate"]
    assert (repurchases["changed_by"], repurchases["n"]) == ({"merges": 2}, 1)


def test_the_exclusion_of_a_merged_account_still_holds_for_its_days(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """Without the small account: GRR 900 / 900, NPS null (2 answers), one account with feedback."""
    session.get_one(Account, ("acme", "small")).excluded = True
    session.commit()
    before = figures(client, LASTING)
    assert before["revenue-retention"]["gross_revenue_retention"]["value"] == 1
    assert (before["nps"]["n"], before["nps"]["exclusions"]) == (2, {"excluded": 2})

    move_account(client, sessions, "small", "merge", into="big")

    assert figures(client, LASTING) == before
    assert session.get_one(AccountBeforeMerge, ("acme", "small", NOW.date())).excluded


@pytest.mark.parametrize("by_import", [False, True])
def test_an_exclusion_of_an_account_counts_from_its_day(
    client: TestClient,
    sessions: SessionFactory,
    by_import: bool,  # noqa: FBT001
) -> None:
    before = figures(client, LASTING | BY_USE | ARR | CAUSES)

    for excluded in (True, False):
        if by_import:
            rows = f"account_id,excluded\nsmall,{excluded}\nbig,false\n".lower()
            job = run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), rows.encode())
            assert job.state == "done"
        else:
            exclude(client, "accounts", "small", excluded=excluded)
        assert figures(client, LASTING | BY_USE | ARR | CAUSES) == before
        today = get_report(client, "revenue-retention", since="2026-01-01", until="2026-03-18")
        assert today["logo_churn"]["exclusions"]["excluded"] == excluded


def test_an_exclusion_on_the_day_of_creation_counts_for_all_days_and_is_named(
    client: TestClient, session: Session
) -> None:
    """A third account with 100 of 1,100: GRR (900 + 0 + 100) / 1,100, then 900 / 1,000 again."""
    factories.account(session, "ours", created_at=NOW)
    add_subscription(session, "ours", 100_00)
    session.commit()
    counted = figures(client, LASTING)["revenue-retention"]["gross_revenue_retention"]
    assert (counted["value"], counted["changed_by"]) == (pytest.approx(10 / 11), {})

    exclude(client, "accounts", "ours")

    after = figures(client, LASTING | BY_USE)
    retention = after["revenue-retention"]["gross_revenue_retention"]
    assert (retention["value"], retention["changed_by"]) == (0.9, {"account_exclusions": 1})
    for name in ("lifetime-value", "cohorts", "time-to-first-value"):
        assert changes(after[name]) == {"account_exclusions": 1}
    for name in ("nps", "feedback", "repurchase-rate", "purchase-value"):
        assert changes(after[name]) == {}, f"{name} does not count this account"


def test_an_account_that_is_excluded_when_it_is_created_changes_nothing(
    client: TestClient, session: Session
) -> None:
    before = figures(client, LASTING)["revenue-retention"]["logo_churn"]

    client.put("/api/v1/accounts/ours", json={"excluded": True})
    add_subscription(session, "ours", 100_00)
    session.commit()

    after = figures(client, LASTING)["revenue-retention"]["logo_churn"]
    assert after == before | {"exclusions": {"excluded": 1, "no_rate": 0}}


@pytest.mark.parametrize("way", ["patch", "import", "identify"])
def test_the_exclusion_of_a_person_is_named_where_it_counts(
    client: TestClient, sessions: SessionFactory, way: str
) -> None:
    """Without ada: NPS of a 9 and a 3 is too little, and nobody has bought."""
    before = figures(client, LASTING | BY_USE)
    client.patch("/api/v1/workspace", json={"internal_domains": ["ours.example"]})

    if way == "patch":
        exclude(client, "users", "ada")
    elif way == "import":
        rows = b"user_id,email\nada,ada@ours.example\n"
        assert run_import(sessions, ImportPlan(ImportKind.USERS), rows).state == "done"
    else:
        call = {"type": "identify", "userId": "ada", "traits": {"email": "ada@ours.example"}}
        assert client.post("/v1/batch", json={"batch": [call]}).status_code == 200

    after = figures(client, LASTING | BY_USE)
    named = {name for name, found in after.items() if changes(found)}
    assert named == {"nps", "feedback", *BY_USE}
    assert all(changes(after[name]) == {"user_exclusions": 1} for name in named)
    assert (after["nps"]["n"], after["repurchase-rate"]["n"]) == (2, 0)
    for name in ("revenue-retention", "lifetime-value", "cohorts", "distribution"):
        assert after[name] == before[name]


def test_changes_of_the_same_or_an_earlier_day_are_not_named(
    client: TestClient, sessions: SessionFactory
) -> None:
    exclude(client, "users", "ada")
    move_account(client, sessions, "small", "merge", into="big")

    for name, query in (LASTING | BY_USE).items():
        if name != "distribution":
            found = get_report(client, name, **(PAST | query | {"until": "2026-03-18"}))
            assert changes(found) == {}


def test_changes_of_accounts_and_people_without_a_part_in_it_are_not_named(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    for account_id in ("empty", "void"):
        factories.account(session, account_id)
    session.add(User(workspace_id="acme", user_id="nobody", account_id="big"))
    session.commit()
    before = figures(client, LASTING | BY_USE)

    exclude(client, "users", "nobody")
    exclude(client, "accounts", "void")
    move_account(client, sessions, "empty", "merge", into="void")

    assert figures(client, LASTING | BY_USE) == before
