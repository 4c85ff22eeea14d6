"""The first page shows the two lists of the API; acts return to it."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.members.roles import Role
from app.web.today.endpoints import PAGE_SIZE
from tests import factories
from tests.conftest import NOW
from tests.reports.movers.test_movers import moved
from tests.reports.today.test_today import KIM, LEE, TEXTS, account, state
from tests.statements import recorded_statements
from tests.web.conftest import Browser, SignedIn, path_of, text_of

MOST_STATEMENTS = 6


def in_need(session: Session) -> None:
    """Insert two accounts of Kim that need something, and one of Lee with more money."""
    days = {"notice_on": "2026-03-30", "renewal_on": "2026-03-19"}
    account(session, "step", 100_00, details=days, name="<b>Acme</b>")
    factories.intervention(session, "step", id="int_1", details={"texts": TEXTS})
    account(session, "waits", 200_00)
    state(session, "waits", "pending", check_at=NOW + timedelta(hours=6))
    account(session, "other", 300_00, owner=LEE)
    factories.alert(session, "other")
    session.commit()


def names_on(page: str) -> list[str]:
    return [part.partition('"')[0] for part in page.split('<h2><a href="/accounts/')[1:]]


def test_the_list_is_that_of_the_api(
    client: TestClient, session: Session, browser: Browser
) -> None:
    """At stake are 30 % of twelve months: of 100 dollars a month they are 360."""
    in_need(session)
    items = client.get("/api/v1/today").json()["items"]

    page = browser.get("/today")

    assert names_on(page.text) == [each["account_id"] for each in items]
    assert names_on(page.text) == ["other", "waits", "step"]
    shown = text_of(page)
    assert all(each["why"] in shown for each in items)
    for words in ("US$360", "in 12 days", "in 1 day", "<b>Acme</b>", "Call Acme.", "Alert since"):
        assert words in shown
    assert "Becomes an alert on 18 Mar 2026, 18:00 UTC unless it ends" in shown
    assert "<b>" not in page.text


def test_an_owner_in_the_address_has_the_own_accounts(session: Session, browser: Browser) -> None:
    in_need(session)

    assert 'href="/today?owner=kim%40example.com"' in browser.get("/today").text
    assert names_on(browser.get(f"/today?owner={KIM}").text) == ["waits", "step"]
    assert names_on(browser.get(f"/today?owner={LEE}").text) == ["other"]


def test_the_movers_are_those_of_the_api(session: Session, browser: Browser) -> None:
    for key, points in (("up", 3.0), ("down", -8.0)):
        moved(session, key, points, owner=KIM)
    session.commit()

    risen, fallen = text_of(browser.get("/today")).split("Risen in 7 days")[1].split("Fallen")

    assert ("up +3.0" in risen, "down \N{MINUS SIGN}8.0" in fallen) == (True, True)
    assert text_of(browser.get(f"/today?owner={LEE}")).count("No account moved") == 2


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "A quiet day: no account"), ("zh", "平静的一天")]
)
def test_a_quiet_day_says_so_in_both_languages(
    browser: Browser, language: str, sentence: str
) -> None:
    browser.send(browser.get("/profile"), "/profile", language=language)

    assert sentence in text_of(browser.get("/today"))


def test_sentences_and_steps_are_in_the_language_of_the_member(
    client: TestClient, session: Session, browser: Browser
) -> None:
    in_need(session)
    browser.send(browser.get("/profile"), "/profile", language="zh")

    shown = text_of(browser.get("/today"))

    items = client.get("/api/v1/today?lang=zh").json()["items"]
    assert all(each["why"] in shown for each in items)
    assert "致电 Acme。" in shown
    assert "12 天后" in shown


@pytest.mark.parametrize("act", ["accept", "dismiss"])
def test_an_act_returns_to_today(
    client: TestClient, session: Session, browser: Browser, act: str
) -> None:
    in_need(session)
    page = browser.get(f"/today?owner={KIM}")

    answer = browser.send(page, f"int_1/{act}", **({"reason": "No."} if act == "dismiss" else {}))

    assert path_of(answer) == f"/today?owner=kim%40example.com&done={act}ed"
    assert client.get("/api/v1/interventions/int_1").json()["state"] == f"{act}ed"
    assert names_on(answer.text) == ["waits"]


def test_a_task_is_finished_and_a_call_logged(
    client: TestClient, session: Session, browser: Browser
) -> None:
    account(session, "due", 100_00)
    session.commit()
    body = {"title": "Send <b>it</b>", "owner": KIM, "due_on": "2026-03-18"}
    task = client.post("/api/v1/accounts/due/tasks", json=body).json()
    page = browser.get(f"/today?owner={KIM}")
    assert "Send <b>it</b>" in text_of(page)

    logged = browser.send(page, "/accounts/due/notes", text="They renew.")
    finished = browser.send(page, f"/tasks/{task['id']}")

    assert path_of(logged) == "/today?owner=kim%40example.com&done=saved"
    [note] = client.get("/api/v1/accounts/due/notes").json()["items"]
    assert (note["kind"], note["text"], note["author"]) == ("call", "They renew.", KIM)
    assert path_of(finished) == "/today?owner=kim%40example.com&done=finished"
    assert client.get(f"/api/v1/tasks/{task['id']}").json()["done_by"] == KIM
    assert names_on(finished.text) == []


def test_the_alerts_of_an_account_are_snoozed(
    client: TestClient, session: Session, browser: Browser
) -> None:
    account(session, "calm", 100_00)
    factories.alert(session, "calm")
    state(session, "calm", "firing")
    session.commit()
    page = browser.get("/today")
    assert names_on(page.text) == ["calm"]

    answer = browser.send(page, "/alerts", days="3")

    assert path_of(answer) == "/today?done=snoozed"
    assert names_on(answer.text) == []
    until = client.get("/api/v1/alerts/alr_calm").json()["snoozed_until"]
    assert until == "2026-03-21T12:00:00Z"


def test_a_viewer_sees_no_act(session: Session, signed_in: SignedIn) -> None:
    in_need(session)

    page = signed_in(Role.VIEWER).get("/today")

    assert "Call Acme." in text_of(page)
    assert "/accept" not in page.text
    assert '<form method="post" action="/a' not in page.text


def test_pages_follow_the_cursor_with_few_statements(session: Session, browser: Browser) -> None:
    ids = [f"a{number:02}" for number in range(PAGE_SIZE + 1)]
    for key in ids:
        account(session, key)
        factories.alert(session, key)
    session.commit()
    with recorded_statements() as statements:
        first = browser.get("/today")

    following = first.text.partition('" rel="next"')[0].rpartition('href="')[2]
    second = browser.get(following)

    assert (names_on(first.text), names_on(second.text)) == (ids[:-1], ids[-1:])
    assert len(statements) <= MOST_STATEMENTS
    assert "Risen in" not in text_of(second)
    assert path_of(browser.get("/today?cursor=x")) == "/today"
