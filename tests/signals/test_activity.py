"""The use of half a year is summed once a day, and again whenever it may have changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import pipeline
from app.accounts.refresh_queue import mark_due
from app.core.db import SessionFactory
from app.features.values import ReachSource
from app.signals import activity_queries
from app.signals.activity import ActivityRow
from app.signals.activity_queries import HalfYear
from app.tables import AccountActivity, AccountSignal, Due, User
from tests import factories
from tests.conftest import NOW

TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
HALF_YEAR = HalfYear(YESTERDAY, TODAY, ReachSource())
MARKED_ACTIVE_DAYS = 12345
"""An impossible number of days: summing again overwrites it."""


@pytest.fixture
def acme(client: TestClient, session: Session, sessions: SessionFactory) -> TestClient:
    """An account whose most active user fell silent; its use is summed and stored."""
    factories.account(session, "a1")
    factories.subscription(session)
    for back in range(1, 90):
        factories.usage(session, TODAY - timedelta(days=back), user_id="ben")
        if back > 20:
            factories.usage(session, TODAY - timedelta(days=back), events=2)
    mark_due(session, "acme", ["a1"])
    session.commit()
    refresh(sessions)
    return client


def refresh(sessions: SessionFactory, now: datetime = NOW) -> None:
    while pipeline.refresh_due(sessions, now=now):
        pass


def stored_activity(session: Session) -> ActivityRow | None:
    """Return the stored use of the account."""
    session.expire_all()
    row = session.get(AccountActivity, ("acme", "a1"))
    assert row is not None
    return row.activity


def mark_stored_activity(session: Session) -> ActivityRow:
    """Change the stored use of the account."""
    marked = {**(stored_activity(session) or {}), "active_days": MARKED_ACTIVE_DAYS}
    session.execute(update(AccountActivity).values(activity=marked))
    session.commit()
    return marked


def is_marked(session: Session) -> bool:
    return bool((stored_activity(session) or {})["active_days"] == MARKED_ACTIVE_DAYS)


def computed_activity(session: Session) -> ActivityRow | None:
    return activity_queries.load_activity(session, "acme", ["a1"], HALF_YEAR).get("a1")


def call(kind: str, at: datetime, **more: object) -> dict[str, Any]:
    fields = {"type": kind, "timestamp": at.isoformat(), "userId": "ada"}
    return fields | {"context": {"groupId": "a1"}} | more


def track(at: datetime, event: str = "Export", **more: object) -> dict[str, Any]:
    return call("track", at, event=event, **more)


def send(client: TestClient, *batch: dict[str, Any]) -> None:
    answer = client.post("/v1/batch", json={"batch": batch})
    assert (answer.status_code, answer.json()["quarantined"]) == (200, 0), answer.text


def test_use_of_today_does_not_sum_the_past_again(
    acme: TestClient, session: Session, sessions: SessionFactory
) -> None:
    assert stored_activity(session) == computed_activity(session)
    mark_stored_activity(session)

    send(acme, track(NOW))
    assert session.query(Due.used_since).all() == [(TODAY,)]
    refresh(sessions)

    assert is_marked(session)


LATE = NOW - timedelta(days=3)


@pytest.mark.parametrize(
    "batch",
    [
        [track(LATE)],
        [track(LATE), track(NOW)],
        [track(NOW), call("identify", NOW, traits={"email": "ada@acme.test"})],
        [call("identify", NOW, anonymousId="visitor")],
        [call("group", NOW, groupId="a1", traits={"employees": 5})],
        [track(NOW, event="Ticket Created", properties={"ticket_id": "t1"})],
    ],
    ids=["late", "late and today", "identify", "alias", "group", "semantic"],
)
def test_calls_that_may_change_the_past_sum_it_again(
    acme: TestClient, session: Session, sessions: SessionFactory, batch: Sequence[dict[str, Any]]
) -> None:
    mark_stored_activity(session)

    send(acme, *batch)
    refresh(sessions)

    assert stored_activity(session) == computed_activity(session)


def test_a_late_event_counts_though_use_of_today_came_first(
    acme: TestClient, session: Session, sessions: SessionFactory
) -> None:
    send(acme, track(NOW))
    send(acme, track(LATE, userId="eve"))
    send(acme, track(NOW, userId="eve"))

    refresh(sessions)

    stored = stored_activity(session) or {}
    assert stored == computed_activity(session)
    assert stored["users"][0] == 2


def test_an_event_just_before_midnight_belongs_to_the_past_after_midnight(
    acme: TestClient, session: Session, sessions: SessionFactory
) -> None:
    tomorrow = NOW + timedelta(days=1)
    mark_due(session, "acme", ["a1"])
    refresh(sessions, tomorrow)
    mark_stored_activity(session)

    send(acme, track(NOW))  # the clock of the service is still at the day before
    refresh(sessions, tomorrow)

    assert not is_marked(session)


def test_the_past_is_summed_again_on_the_next_day(
    acme: TestClient, session: Session, sessions: SessionFactory
) -> None:
    mark_stored_activity(session)
    send(acme, track(NOW))

    refresh(sessions, NOW + timedelta(days=1))

    assert not is_marked(session)


def test_stored_use_that_counted_reach_in_another_way_is_not_reused(
    acme: TestClient, session: Session
) -> None:
    assert acme
    marked = mark_stored_activity(session)
    same = activity_queries.refresh_activity(session, "acme", ["a1"], HALF_YEAR, unchanged=["a1"])
    assert same == {"a1": marked}

    for reach in (ReachSource("property"), ReachSource("events", ["Export"])):
        other = HalfYear(YESTERDAY, TODAY, reach)
        found = activity_queries.refresh_activity(session, "acme", ["a1"], other, unchanged=["a1"])
        assert found == activity_queries.load_activity(session, "acme", ["a1"], other)


@pytest.fixture
def other(acme: TestClient, session: Session, sessions: SessionFactory) -> str:
    """Another account that both users used; they do not belong to it."""
    factories.account(session, "a2")
    for back in range(30, 60):
        for user_id, events in (("ada", 2), ("ben", 1)):
            day = TODAY - timedelta(days=back)
            factories.usage(session, day, account_id="a2", user_id=user_id, events=events)
    for user_id in ("ada", "ben"):
        session.add(User(workspace_id="acme", user_id=user_id, account_id="a1"))
    mark_due(session, "acme", ["a2"])
    session.commit()
    refresh(sessions)
    assert acme
    return "a2"


def champion(session: Session, account_id: str) -> object:
    session.expire_all()
    row = session.get_one(AccountActivity, ("acme", account_id)).activity
    return row and row["user_id"]


def test_an_excluded_user_is_removed_from_the_past_of_all_accounts(
    acme: TestClient, session: Session, sessions: SessionFactory, other: str
) -> None:
    assert (champion(session, "a1"), champion(session, other)) == ("ada", "ada")

    answer = acme.patch("/api/v1/users/ada", json={"excluded": True})
    assert answer.status_code == 200, answer.text
    send(acme, track(NOW, context={"groupId": other}))
    refresh(sessions)

    assert (champion(session, "a1"), champion(session, other)) == ("ben", "ben")


def test_a_user_with_the_role_of_champion_is_champion_of_their_account_only(
    acme: TestClient, session: Session, sessions: SessionFactory, other: str
) -> None:
    answer = acme.put("/api/v1/users/ben/roles", json={"roles": ["champion"]})
    assert answer.status_code == 200, answer.text
    mark_due(session, "acme", ["a1", other])
    session.commit()
    refresh(sessions)

    assert (champion(session, "a1"), champion(session, other)) == ("ben", "ada")


def test_an_account_that_is_retried_alone_sums_its_past_again(
    acme: TestClient, session: Session, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been queued for another reason in the meantime."""
    mark_stored_activity(session)
    send(acme, track(NOW))
    calls = []
    refresh_once = pipeline.refresh

    def fail_once(*args: Any, **more: Any) -> int:  # noqa: ANN401
        calls.append(more["unchanged"])
        if len(calls) == 1:
            raise ValueError
        return refresh_once(*args, **more)

    monkeypatch.setattr(pipeline, "refresh", fail_once)
    refresh(sessions)

    assert calls == [{"a1"}, set()]
    assert stored_activity(session) == computed_activity(session)


def test_signals_from_stored_use_are_the_same(
    acme: TestClient, session: Session, sessions: SessionFactory
) -> None:
    def open_signals() -> Sequence[tuple[object, ...]]:
        session.expire_all()
        rows = session.query(AccountSignal).filter(AccountSignal.cleared_at.is_(None))
        return sorted((row.signal, row.since, str(row.evidence)) for row in rows)

    send(acme, track(NOW))
    refresh(sessions)
    from_stored = open_signals()
    assert "champion_inactive" in [name for name, *_ in from_stored]
    mark_due(session, "acme", ["a1"])
    session.commit()
    refresh(sessions)

    assert open_signals() == from_stored


def random_batch(random: Random, n: int) -> list[dict[str, Any]]:
    """A batch such as SDKs send: use of today and late use, of users and visitors, and calls."""
    use_calls = [
        track(
            NOW - timedelta(days=random.choice((0, 0, 0, 0, 1, 5, 40)), minutes=i),
            userId=(user := random.choice(("ada", "ben", "eve", None))),
            anonymousId=None if user else random.choice(("v1", "v2")),
            properties={"end_customer_id": f"c{random.randrange(9)}"},
        )
        for i in range(random.randrange(1, 4))
    ]
    calls = [
        call("identify", NOW, userId="ben", anonymousId=f"v{n % 2 + 1}"),
        call("identify", NOW, userId="eve", traits={"email": "eve@acme.test"}),
        call("group", NOW, groupId="a1", traits={"employees": n}),
    ]
    return use_calls + random.sample(calls, k=random.randrange(2))


@pytest.mark.parametrize("seed", range(5))
def test_stored_use_equals_a_new_sum_after_any_batch(
    acme: TestClient, session: Session, sessions: SessionFactory, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    for visitor in ("v1", "v2"):
        send(acme, track(LATE, userId=None, anonymousId=visitor))
    for n in range(12):
        send(acme, *random_batch(random, n))
        refresh(sessions)

        assert stored_activity(session) == computed_activity(session)
