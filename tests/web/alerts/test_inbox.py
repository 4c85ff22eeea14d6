"""The inbox shows the list of the API; acts on one or several alerts are those of the API."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from app.alerts.tables import AlertState
from app.members.roles import Role
from app.web.alerts.endpoints import PAGE_SIZE
from tests import factories
from tests.conftest import NOW
from tests.reports.today.test_today import KIM, LEE, account
from tests.statements import recorded_statements
from tests.web.conftest import Browser, SignedIn, parse, path_of, text_of

MOST_STATEMENTS = 6
HOSTILE = "<img src=x onerror=alert(1)>"


def three_alerts(session: Session) -> None:
    """Insert alerts of two accounts of Kim and of one of Lee, who has the most money at risk."""
    account(session, "small", 100_00, name=HOSTILE)
    account(session, "large", 300_00, owner=LEE)
    account(session, "middle", 200_00)
    factories.alert(session, "small", drivers=["Depth fell from 15 to 9: <b>6.1 points</b>."])
    factories.alert(session, "large", severity="low", rule_key="no_use", rule_name="No use")
    factories.alert(session, "middle")
    session.commit()


def accounts_on(page: Response) -> list[str]:
    return [part.partition('"')[0] for part in page.text.split('<h2><a href="/accounts/')[1:]]


def act(browser: Browser, name: str, *accounts: str, **fields: str) -> Response:
    """Choose the alerts of accounts and press a button of the form."""
    page = browser.get("/alerts?state=all")
    chosen = {f"alert:alr_{each}": "on" for each in accounts}
    csrf = next(each.fields["csrf"] for each in parse(page).forms if "csrf" in each.fields)
    values = {"csrf": csrf, "back": "/alerts?owner=x", "act": name, **chosen, **fields}
    answer: Response = browser.client.post("/alerts", data=values)
    return answer


def alert_of(client: TestClient, account_id: str) -> Any:  # noqa: ANN401
    return client.get(f"/api/v1/alerts/alr_{account_id}").json()


def test_the_list_is_that_of_the_api(
    client: TestClient, session: Session, browser: Browser
) -> None:
    """At risk are 30 % of twelve months: of 300 dollars a month they are 1,080."""
    three_alerts(session)
    items = client.get("/api/v1/alerts").json()["items"]

    page = browser.get("/alerts")

    assert accounts_on(page) == [each["account_id"] for each in items]
    assert accounts_on(page) == ["large", "middle", "small"]
    shown = text_of(page)
    for words in ("US$1,080 at risk", HOSTILE, "<b>6.1 points</b>", "31.5 → 22", "High Health"):
        assert words in shown
    assert "<img" not in page.text


@pytest.mark.parametrize(
    ("query", "accounts"),
    [
        ({"owner": KIM}, ["middle", "small"]),
        ({"owner": LEE}, ["large"]),
        ({"severity": "low"}, ["large"]),
        ({"severity": "unknown"}, ["large", "middle", "small"]),
        ({"rule": "no_use"}, ["large"]),
        ({"account": "middle"}, ["middle"]),
        ({"rule": "health_at_risk", "owner": LEE}, []),
        ({"state": "resolved"}, []),
        ({"state": "strange", "cursor": "strange"}, ["large", "middle", "small"]),
    ],
)
def test_filters_are_in_the_address(
    session: Session, browser: Browser, query: dict[str, str], accounts: list[str]
) -> None:
    three_alerts(session)

    assert accounts_on(browser.get(f"/alerts?{urlencode(query)}")) == accounts


def test_an_alert_assigned_to_somebody_is_theirs_too(
    client: TestClient, session: Session, browser: Browser
) -> None:
    three_alerts(session)

    act(browser, "assign", "large", assignee=KIM)

    assert alert_of(client, "large")["assignee"] == KIM
    assert accounts_on(browser.get(f"/alerts?owner={KIM}")) == ["large", "middle", "small"]
    items = client.get("/api/v1/alerts", params={"owner": KIM}).json()["items"]
    assert [each["account_id"] for each in items] == ["large", "middle", "small"]
    act(browser, "assign", "large", assignee="")
    assert alert_of(client, "large")["assignee"] is None


def test_the_button_of_a_row_acknowledges_this_alert_only(
    client: TestClient, session: Session, browser: Browser
) -> None:
    three_alerts(session)

    answer = act(browser, "", "small", acknowledge="alr_middle")

    assert path_of(answer) == "/alerts?owner=x&done=acknowledged"
    assert "Acknowledged." in text_of(answer)
    states = [alert_of(client, each)["state"] for each in ("large", "middle", "small")]
    assert states == ["open", "acknowledged", "open"]
    assert alert_of(client, "middle")["acknowledged_by"].startswith("member:mem_")


@pytest.mark.parametrize(
    ("name", "fields", "changed"),
    [
        ("acknowledge", {}, {"state": "acknowledged"}),
        ("assign", {"assignee": LEE}, {"assignee": LEE}),
        ("snooze", {"days": "3"}, {"snoozed_until": "2026-03-21T12:00:00Z"}),
        ("resolve", {}, {"state": "resolved", "resolution": "by_hand"}),
        (
            "rate",
            {"verdict": "too_early", "note": " A holiday. "},
            {"feedback": "too_early", "feedback_note": "A holiday."},
        ),
    ],
)
def test_an_act_changes_all_chosen_alerts_and_is_audited_with_the_member(
    *,
    client: TestClient,
    session: Session,
    browser: Browser,
    name: str,
    fields: dict[str, str],
    changed: dict[str, str],
) -> None:
    three_alerts(session)
    for each in ("small", "large", "middle"):
        rule = "no_use" if each == "large" else "health_at_risk"
        state = AlertState(workspace_id="acme", account_id=each, rule_key=rule, phase="firing")
        state.since, state.episode, state.sequence = NOW - timedelta(days=1), 1, 1
        session.add(state)
    session.commit()
    before = alert_of(client, "middle")

    answer = act(browser, name, "small", "large", **fields)

    assert answer.status_code == 200, text_of(answer)
    for each in ("small", "large"):
        after = alert_of(client, each)
        assert {key: after[key] for key in changed} == changed
    assert alert_of(client, "middle") == before
    entries = client.get("/api/v1/audit-entries").json()["items"]
    acts = [each for each in entries if each["action"].startswith("alert.")]
    assert {each["subject"] for each in acts} == {"alr_small", "alr_large"}
    assert all(each["actor"].startswith("member:mem_") for each in acts)


def test_a_snooze_is_ended(client: TestClient, session: Session, browser: Browser) -> None:
    three_alerts(session)
    state = AlertState(workspace_id="acme", account_id="small", rule_key="health_at_risk")
    state.phase, state.episode, state.sequence = "firing", 1, 1
    session.add(state)
    session.commit()
    act(browser, "snooze", "small", days="7")
    assert accounts_on(browser.get("/alerts?state=snoozed")) == ["small"]

    act(browser, "snooze", "small", days="")

    assert alert_of(client, "small")["snoozed_until"] is None


def test_alerts_that_are_resolved_by_now_are_left_out(
    client: TestClient, session: Session, browser: Browser
) -> None:
    three_alerts(session)
    act(browser, "resolve", "small")

    both = act(browser, "acknowledge", "small", "middle")
    one = act(browser, "acknowledge", "small")

    assert (both.status_code, one.status_code) == (200, 409)
    assert "only an open alert can be changed" in text_of(one)
    assert alert_of(client, "middle")["state"] == "acknowledged"
    assert alert_of(client, "small")["acknowledged_at"] is None
    assert act(browser, "rate", "small", verdict="valid").status_code == 200


@pytest.mark.parametrize(
    ("name", "accounts", "fields", "status"),
    [
        ("acknowledge", (), {}, 422),
        ("erase", ("small",), {}, 422),
        ("rate", ("small",), {"verdict": "nice"}, 422),
        ("resolve", ("small", "nobody"), {}, 404),
    ],
)
def test_an_act_that_cannot_be_done_changes_nothing(
    *,
    client: TestClient,
    session: Session,
    browser: Browser,
    name: str,
    accounts: tuple[str, ...],
    fields: dict[str, str],
    status: int,
) -> None:
    three_alerts(session)
    before = client.get("/api/v1/alerts").json()

    assert act(browser, name, *accounts, **fields).status_code == status
    assert client.get("/api/v1/alerts").json() == before


def test_a_viewer_sees_no_act_and_may_do_none(
    client: TestClient, session: Session, signed_in: SignedIn
) -> None:
    three_alerts(session)
    viewer = signed_in(Role.VIEWER)
    page = viewer.get("/alerts")

    assert accounts_on(page) == ["large", "middle", "small"]
    assert 'type="checkbox"' not in page.text
    assert 'form="acts"' not in page.text
    assert act(viewer, "resolve", "small").status_code == 403
    assert alert_of(client, "small")["state"] == "open"


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "No alert is open."), ("zh", "没有未解除的告警。")]
)
def test_an_empty_inbox_says_what_opens_alerts(
    browser: Browser, language: str, sentence: str
) -> None:
    browser.send(browser.get("/profile"), "/profile", language=language)

    page = browser.get("/alerts")

    assert sentence in text_of(page)
    assert "http://testserver/api/v1/alert-rules/depth-low" in page.text
    narrowed = browser.get("/alerts?severity=low")
    assert sentence not in text_of(narrowed)


def test_pages_follow_the_cursor_with_few_statements(session: Session, browser: Browser) -> None:
    ids = [f"a{number:02}" for number in range(PAGE_SIZE + 1)]
    for key in ids:
        account(session, key)
        factories.alert(session, key)
    session.commit()
    browser.get("/alerts")
    with recorded_statements() as statements:
        first = browser.get("/alerts", headers={"Accept-Encoding": "gzip"})

    following = first.text.partition('" rel="next"')[0].rpartition('href="')[2]
    second = browser.get(following)

    assert len(statements) <= MOST_STATEMENTS
    assert int(first.headers["content-length"]) <= 20_000
    assert len(accounts_on(first)) == PAGE_SIZE
    assert sorted(accounts_on(first) + accounts_on(second)) == ids
