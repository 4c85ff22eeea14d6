"""The timeline of an account: what happened and what people did, newest first."""

from datetime import UTC, datetime, time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.languages import Language
from app.core.pagination import Paging
from app.reports.timeline import service
from app.reports.timeline.kinds import EVENTS, EntryKind
from app.tables import User
from tests import factories
from tests.chinese import faults
from tests.conftest import NOW
from tests.reports.timeline.full_account import add_everything, at, day
from tests.statements import recorded_statements

PATH = "/api/v1/accounts/a1/timeline"


@pytest.fixture(autouse=True)
def account(client: TestClient, session: Session) -> None:
    del client  # it makes the workspace
    factories.account(session, "a1")
    session.commit()


def timeline(client: TestClient, **params: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    answer = client.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def sentences(client: TestClient, **params: Any) -> list[str]:  # noqa: ANN401
    return [each["sentence"] for each in timeline(client, **params)]


def test_every_kind_of_entry_has_its_sentence(client: TestClient, session: Session) -> None:
    add_everything(session)

    listed = timeline(client)

    by_event = {(each["kind"], each["event"]): each["sentence"] for each in listed}
    assert by_event == {
        ("use", "last"): "The product was last used.",
        ("sentiment", "stated"): 'Kim rated the account 2 of 5: "A new director".',
        ("task", "done"): 'Lee finished the task "Send the offer".',
        ("task", "created"): 'Kim created the task "Send the offer".',
        ("note", "written"): f'Kim wrote: "They will renew{" again" * 30} aga…".',
        ("call", "written"): 'Kim logged a call: "They will renew".',
        ("meeting", "written"): 'Kim logged a meeting: "They will renew".',
        ("email", "written"): 'Kim logged an e-mail: "They will renew".',
        ("subscription", "ended"): 'A subscription ended; the reason given is "too expensive".',
        ("people", "silent"): "Bob: no use of the product for four weeks.",
        ("signal", "cleared"): (
            "This is over: Nobody has used the product for 14 days, since 2026-02-01."
        ),
        ("signal", "opened"): "Nobody has used the product for 14 days, since 2026-02-01.",
        ("intervention", "done"): '"Call them" was done.',
        ("intervention", "accepted"): 'The suggestion "Call them" was accepted.',
        ("intervention", "dismissed"): 'The suggestion "Call them" was dismissed: "Not now".',
        ("alert", "resolved"): 'The alert "Health at risk" was resolved.',
        ("alert", "opened"): 'The alert "Health at risk" opened.',
        ("onboarding", "done"): 'The onboarding step "Invite" was done.',
        ("incident", "apology"): 'An apology for the incident "No mail" was sent.',
        ("incident", "ended"): 'The incident "No mail" ended.',
        ("incident", "began"): 'The incident "No mail" began, which affected the account.',
        ("goal", "closed"): 'The goal "1,000 exports" was closed.',
        ("goal", "began"): 'The goal "1,000 exports" began; it is due on 2026-03-17.',
        ("feedback", "shipped"): 'The request about "audit log" was shipped.',
        ("feedback", "request"): 'A request about "audit log" arrived.',
        ("answer", "nps"): ("Ada answered 9 of 10 to whether they would recommend the product."),
        ("answer", "csat"): "Ada rated their satisfaction 2 of 5.",
        ("ticket", "closed"): 'The ticket "Export" was closed.',
        ("ticket", "opened"): 'The ticket "Export" was opened.',
        ("use", "first"): "The product was used for the first time.",
        ("people", "joined"): "Bob, Eve, Mia joined.",
        ("price", "fell"): "The price fell from 150 USD to 120 USD a month.",
        ("price", "rose"): "The price rose from 100 USD to 150 USD a month.",
        ("plan", "changed"): 'The plan changed from "team" to "Pro".',
        ("seats", "changed"): "The seats changed from 5 to 8.",
        ("subscription", "began"): ('A subscription of the plan "team" began: 100 USD a month.'),
        ("scorecard", "activated"): "Version 2 of the scorecard became active.",
    }
    assert len(listed) == len(by_event), "each once"
    assert {each["kind"] for each in listed} == set(EntryKind)


def test_it_is_newest_first_and_days_begin_at_midnight(
    client: TestClient, session: Session
) -> None:
    add_everything(session)

    listed = timeline(client)

    times = [each["at"] for each in listed]
    assert times == sorted(times, reverse=True)
    found = {(each["kind"], each["event"]): each["at"] for each in listed}
    silent = datetime.combine(day(37 - 28), time.min, UTC)
    assert found["people", "silent"] == silent.isoformat().replace("+00:00", "Z")
    assert found["onboarding", "done"] == at(45).isoformat().replace("+00:00", "Z")


def test_chinese_sentences_follow_the_rules(client: TestClient, session: Session) -> None:
    add_everything(session)

    texts = {
        (each["kind"], each["event"]): each["sentence"] for each in timeline(client, lang="zh")
    }

    assert texts["price", "rose"] == "月费从 100 USD 涨到 150 USD。"
    assert texts["people", "silent"] == "Bob 已有四周没有使用本产品。"
    assert texts["intervention", "done"] == "“致电客户”已完成。"
    written = [text for (kind, _), text in texts.items() if kind not in {"note", "goal", "alert"}]
    assert {text: faults(text) for text in written if faults(text)} == {}


def test_pages_of_any_size_have_each_entry_once_in_the_same_order(
    client: TestClient, session: Session
) -> None:
    """The four notes have the same time: their keys decide."""
    add_everything(session)
    everything = timeline(client)

    for limit in (1, 4):
        seen: list[dict[str, Any]] = []
        cursor: dict[str, str] | None = {}
        while cursor is not None:
            page = client.get(PATH, params={"limit": limit, **cursor}).json()
            seen += page["items"]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
        assert seen == everything


@pytest.mark.parametrize("kind", EntryKind)
def test_a_kind_is_filtered(client: TestClient, session: Session, kind: EntryKind) -> None:
    add_everything(session)

    listed = timeline(client, kind=kind.value)

    assert listed == [each for each in timeline(client) if each["kind"] == kind]
    assert {each["event"] for each in listed} <= set(EVENTS[kind])


def test_several_kinds_are_filtered_before_a_page_is_cut(
    client: TestClient, session: Session
) -> None:
    """Calls are read with notes: many notes must not push a call out of its page."""
    add_everything(session)

    page = client.get(PATH, params={"kind": ["call", "task"], "limit": 3}).json()

    assert [each["kind"] for each in page["items"]] == ["task", "task", "call"]
    assert page["next_cursor"] is None
    assert client.get(PATH, params={"kind": "nonsense"}).status_code == 422


def test_the_future_and_what_is_withdrawn_is_not_listed(
    client: TestClient, session: Session
) -> None:
    factories.subscription(session, "a1", starts_on=day(-3), known_on=day(1))
    factories.subscription(
        session,
        "a1",
        subscription_id="withdrawn",
        starts_on=day(90),
        ends_on=day(90),
        known_on=day(80),
    )
    session.commit()

    assert sentences(client) == []


def test_a_subscription_that_pauses_ends_and_begins_again(
    client: TestClient, session: Session
) -> None:
    """The period of 300 USD is corrected to 200 later: only what is known now counts."""
    factories.subscription(session, "a1", starts_on=day(90), ends_on=day(60), mrr_cents=200_00)
    for cents, known_on in ((300_00, day(30)), (200_00, day(10))):
        factories.subscription(session, "a1", starts_on=day(30), known_on=known_on, mrr_cents=cents)
    session.commit()

    assert sentences(client) == [
        "A subscription began: 200 USD a month.",
        "A subscription ended.",
        "A subscription began: 200 USD a month.",
    ]


def test_people_without_names_are_counted(client: TestClient, session: Session) -> None:
    for key, name in (("u1", None), ("u2", "Bob"), ("u3", "Eve"), ("u4", None)):
        joined = {"account_id": "a1", "account_since": at(5), "created_at": at(5)}
        session.add(User(workspace_id="acme", user_id=key, name=name, **joined))
    hidden = {"account_id": "a1", "created_at": at(5), "excluded": True}
    session.add(User(workspace_id="acme", user_id="u5", name="Test", **hidden))
    session.commit()

    assert sentences(client) == ["4 people joined."]


def test_a_page_takes_at_most_four_statements(client: TestClient, session: Session) -> None:
    del client
    add_everything(session)
    session.expunge_all()

    with recorded_statements() as statements:
        page = service.load_page(
            session,
            "acme",
            "a1",
            kinds=(),
            paging=Paging(100, None),
            now=NOW,
            language=Language.EN,
        )

    assert len(page.items) == 37
    assert len(statements) == 3, "the account, the entries, and product features of signals"


def test_an_unknown_account_has_no_timeline(client: TestClient) -> None:
    assert client.get("/api/v1/accounts/nobody/timeline").status_code == 404
