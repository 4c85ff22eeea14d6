"""Each owner gets one digest in each period, and none on a quiet day."""
# ruff: noqa: RUF001 - Chinese punctuation

from datetime import timedelta
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, rolled_back_transaction, transaction
from app.digests.service import send_due_digests
from app.tables import Account, Digest, HealthScore, Message, User
from app.webhooks.slack import text_body
from tests import factories
from tests.conftest import NOW
from tests.lifecycle.id_changes import erase

KIM = "kim@example.com"
DAY = timedelta(days=1)
Row = dict[str, Any]


def account(session: Session, account_id: str = "a1", owner: str = KIM) -> None:
    """Insert an account of 100 USD a month, at risk: 360 USD a year, notice in 12 days."""
    factories.account(session, account_id, name="Acme", owner=owner)
    row: Row = {"band": "at_risk", "status": "ok", "score": 20.0, "mrr_cents": 100_00}
    row |= {"details": {"notice_on": "2026-03-30"}, "as_of": NOW.date()}
    session.add(HealthScore(workspace_id="acme", account_id=account_id, **row))
    texts = {"en": {"next_step": "Call Acme."}, "zh": {"next_step": "致电 Acme。"}}
    factories.intervention(session, account_id, details={"texts": texts})
    evidence = {"user_id": "ada", "days": 20, "event_share": 0.5}
    factories.signal(session, account_id, signal="champion_inactive", evidence=evidence)


def digest(session: Session, owner: str = KIM, **columns: Any) -> None:  # noqa: ANN401
    row: Row = {"cadence": "daily", "weekday": None, "at": "08:00", "zone": "UTC"}
    row |= {"language": "en", "next_at": NOW, **columns}
    session.add(Digest(workspace_id="acme", owner=owner, **row))


def messages(session: Session) -> list[Row]:
    """Return what was published, with personal fields."""
    rows = session.scalars(select(Message).where(Message.type == "owner.digested"))
    return [orjson.loads(row.personal_body or row.body)["data"] for row in rows]


@pytest.fixture
def world(client: TestClient, session: Session) -> Session:
    del client  # it makes the workspace
    session.add(User(workspace_id="acme", user_id="ada", name="Ada"))
    account(session)
    session.commit()
    return session


SENTENCE = (
    "The champion has not used the product for 20 days; 50 % of all use was theirs."
    " 360 USD a year are at risk. The last day of notice is in 12 days. Next step: Call Acme."
)


def test_a_due_digest_is_published_once_and_the_next_one_is_tomorrow(world: Session) -> None:
    """It does not name Ada: a message is stored for weeks."""
    digest(world)
    world.flush()

    assert send_due_digests(world, now=NOW) == 1
    assert send_due_digests(world, now=NOW) == 0

    assert messages(world) == [
        {
            "title": "1 account needs something today.",
            "owner": KIM,
            "cadence": "daily",
            "accounts": [{"account_id": "a1", "name": "Acme", "sentence": SENTENCE}],
            "movers": [],
            "link": None,
        }
    ]
    row = world.get_one(Digest, ("acme", KIM))
    assert (row.next_at, row.sent_at) == (NOW.replace(hour=8) + DAY, NOW)


def test_movers_of_the_week_are_in_it(world: Session) -> None:
    score = world.get_one(HealthScore, ("acme", "a1"))
    score.details = {"trend": {"d7": -12.5}}
    digest(world)
    world.flush()

    send_due_digests(world, now=NOW)

    [found] = messages(world)
    assert [each["sentence"] for each in found["movers"]] == [
        "The score fell by 12.5 to 20 in a week."
    ]


def test_it_is_in_the_language_of_the_owner(world: Session) -> None:
    digest(world, language="zh")
    world.flush()

    send_due_digests(world, now=NOW)

    [found] = messages(world)
    assert found["title"] == "今天有 1 个客户需要处理。"
    assert found["accounts"][0]["sentence"].endswith(
        "每年有 360 USD 面临风险。距离提出不续约的最后一天还有 12 天。下一步：致电 Acme。"
    )


def test_on_a_quiet_day_nothing_is_published(world: Session) -> None:
    digest(world, owner="lee@example.com")
    world.flush()

    assert send_due_digests(world, now=NOW) == 1

    assert messages(world) == []
    row = world.get_one(Digest, ("acme", "lee@example.com"))
    assert (row.next_at, row.sent_at) == (NOW.replace(hour=8) + DAY, None)


def test_missed_periods_are_one_digest(world: Session) -> None:
    digest(world, next_at=NOW - 9 * DAY)
    world.flush()

    send_due_digests(world, now=NOW)
    send_due_digests(world, now=NOW)

    assert len(messages(world)) == 1


def test_two_workers_and_a_crash_publish_exactly_one(committed: SessionFactory) -> None:
    """The first worker holds the digest and dies before its commit; another one publishes it."""
    with transaction(committed) as session:
        account(session)
        digest(session)

    with rolled_back_transaction(committed) as dying:
        assert send_due_digests(dying, now=NOW) == 1
        with transaction(committed) as other:
            assert send_due_digests(other, now=NOW) == 0
    for expected in (1, 0):
        with transaction(committed) as later:
            assert send_due_digests(later, now=NOW) == expected

    with committed() as session:
        assert len(messages(session)) == 1


def test_slack_gets_a_line_for_each_account_with_a_link(world: Session) -> None:
    name = "Acme <& Co>"
    world.get_one(Account, ("acme", "a1")).name = name
    digest(world)
    world.flush()
    send_due_digests(world, now=NOW)
    [row] = world.scalars(select(Message).where(Message.type == "owner.digested"))

    text = orjson.loads(text_body(row.body, public_url="https://health.example"))["text"]

    head, line = text.split("\n")
    assert head == "*1 account needs something today.*", "the owner is personal"
    assert line == f"• <https://health.example/accounts/a1|Acme &lt;&amp; Co&gt;>: {SENTENCE}"
    personal = orjson.loads(text_body(row.personal_body or b"", public_url=None))["text"]
    assert personal.startswith(f"*1 account needs something today.* ({KIM})\n• Acme &lt;&amp;")


def test_an_erased_account_is_in_no_digest(
    client: TestClient, sessions: SessionFactory, world: Session
) -> None:
    digest(world)
    world.flush()
    send_due_digests(world, now=NOW)
    world.commit()

    erase(client, sessions, "accounts/a1")

    assert messages(world) == []


def test_a_digest_is_set_previewed_and_deleted(client: TestClient, world: Session) -> None:
    path = f"/api/v1/digests/{KIM}"
    body = {"cadence": "weekly", "weekday": 5, "at": "09:30", "zone": "Europe/Berlin"}

    for _ in range(2):
        answer = client.put(path, json=body)
    assert (
        answer.json()
        == client.get(path).json()
        == {
            **body,
            "owner": KIM,
            "language": "en",
            "next_at": "2026-03-20T08:30:00Z",
            "sent_at": None,
        }
    )
    assert client.get(f"{path}/preview").json() == {
        "quiet": False,
        "text": f"1 account needs something today.\n- Acme: {SENTENCE}",
    }
    assert [each["owner"] for each in client.get("/api/v1/digests").json()["items"]] == [KIM]
    daily = client.put(path, json={}).json()
    assert (daily["cadence"], daily["weekday"], daily["at"]) == ("daily", None, "08:00")
    assert client.delete(path).status_code == 204
    assert client.get(f"{path}/preview").status_code == 404
    world.expire_all()


@pytest.mark.parametrize(
    "body", [{"zone": "Mars/Olympus"}, {"at": "24:00"}, {"weekday": 8}, {"cadence": "hourly"}]
)
def test_an_impossible_schedule_is_refused(client: TestClient, body: Row) -> None:
    assert client.put(f"/api/v1/digests/{KIM}", json=body).status_code == 422
