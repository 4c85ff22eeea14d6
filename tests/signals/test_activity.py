"""Use of the past is added up once a day, and again whenever it may have changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import pipeline
from app.accounts.queries import mark_due
from app.core.db import SessionFactory
from app.features.values import ReachSource
from app.signals import activity_queries
from app.signals.activity import ActivityRow
from app.signals.activity_queries import Quarter
from app.tables import AccountActivity, AccountSignal, Due, User
from tests import factories
from tests.conftest import NOW

TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
QUARTER = Quarter(YESTERDAY, TODAY, ReachSource())
MARKED_ACTIVE_DAYS = 12345
"""So many days nobody can have added up: whoever adds up writes over them."""


@pytest.fixture
def acme(client: TestClient, session: Session, sessions: SessionFactory) -> TestClient:
    """An account whose most active user fell silent, of which all is added up."""
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
    """Read what is kept of the account."""
    session.expire_all()
    row = session.get(AccountActivity, ("acme", "a1"))
    assert row is not None
    return row.said


def mark_stored_activity(session: Session) -> ActivityRow:
    """Change what is kept of the account."""
    marked = {**(stored_activity(session) or {}), "active_days": MARKED_ACTIVE_DAYS}
    session.execute(update(AccountActivity).values(said=marked))
    session.commit()
    return marked


def is_marked(session: Session) -> bool:
    return bool((stored_activity(session) or {})["active_days"] == MARKED_ACTIVE_DAYS)


def computed_activity(session: Session) -> ActivityRow | None:
    return activity_queries.load_activity(session, "acme", ["a1"], QUARTER).get("a1")


def call(kind: str, at: datetime, **more: object) -> dict[str, Any]:
    said = {"type": kind, "timestamp": at.isoformat(), "userId": "ada"}
    return said | {"context": {"groupId": "a1"}} | more


def track(at: datetime, event: str = "Export", **more: object) -> dict[str, Any]:
    return call("track", at, event=event, **more)


def send(client: TestClient, *batch: dict[str, Any]) -> None:
    answer = client.post("/v1/batch", json={"batch": batch})
    assert (answer.status_code, answer.json()["quarantined"]) == (200, 0), answer.text


def test_use_of_today_leaves_the_past_as_it_was_added_up(
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
def test_what_may_change_the_past_has_it_added_up_again(
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

    kept = stored_activity(session) or {}
    assert kept == computed_activity(session)
    assert kept["users"][0] == 2


def test_an_event_just_before_midnight_is_of_the_past_after_it(
    acme: TestClient, session: Session, sessions: SessionFactory
) -> None:
    tomorrow = NOW + timedelta(days=1)
    mark_due(session, "acme", ["a1"])
    refresh(sessions, tomorrow)
    mark_stored_activity(session)

    send(acme, track(NOW))  # the service's clock stands at the day before
    refresh(sessions, tomorrow)

    assert not is_marked(session)


def test_the_next_day_the_past_is_added_up_anew(
    acme: TestClient, session: Session, sessions: SessionFactory
) -> None:
    mark_stored_activity(session)
    send(acme, track(NOW))

    refresh(sessions, NOW + timedelta(days=1))

    assert not is_marked(session)


def test_another_way_of_counting_reach_does_not_take_what_was_counted_otherwise(
    acme: TestClient, session: Session
) -> None:
    assert acme
    marked = mark_stored_activity(session)
    same = activity_queries.refresh_activity(session, "acme", ["a1"], QUARTER, unchanged=["a1"])
    assert same == {"a1": marked}

    for reach in (ReachSource("property"), ReachSource("events", ["Export"])):
        other = Quarter(YESTERDAY, TODAY, reach)
        found = activity_queries.refresh_activity(session, "acme", ["a1"], other, unchanged=["a1"])
        assert found == activity_queries.load_activity(session, "acme", ["a1"], other)


@pytest.fixture
def other(acme: TestClient, session: Session, sessions: SessionFactory) -> str:
    """Another account that both used, and that is not the one they belong to."""
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
    said = session.get_one(AccountActivity, ("acme", account_id)).said
    return said and said["user_id"]


def test_somebody_who_is_excluded_is_out_of_the_past_of_all_accounts(
    acme: TestClient, session: Session, sessions: SessionFactory, other: str
) -> None:
    assert (champion(session, "a1"), champion(session, other)) == ("ada", "ada")

    answer = acme.patch("/api/v1/users/ada", json={"excluded": True})
    assert answer.status_code == 200, answer.text
    send(acme, track(NOW, context={"groupId": other}))
    refresh(sessions)

    assert (champion(session, "a1"), champion(session, other)) == ("ben", "ben")


def test_who_is_named_champion_of_an_account_is_not_that_of_another(
    acme: TestClient, session: Session, sessions: SessionFactory, other: str
) -> None:
    answer = acme.put("/api/v1/users/ben/roles", json={"roles": ["champion"]})
    assert answer.status_code == 200, answer.text
    mark_due(session, "acme", ["a1", other])
    session.commit()
    refresh(sessions)

    assert (champion(session, "a1"), champion(session, other)) == ("ben", "ada")


def test_an_account_that_fails_alone_looks_at_all_of_its_past(
    acme: TestClient, session: Session, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been marked for something else while it was tried."""
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


def test_signals_are_the_same_from_what_was_kept(
    acme: TestClient, session: Session, sessions: SessionFactory
) -> None:
    def open_signals() -> Sequence[tuple[object, ...]]:
        session.expire_all()
        rows = session.query(AccountSignal).filter(AccountSignal.cleared_at.is_(None))
        return sorted((row.signal, row.since, str(row.evidence)) for row in rows)

    send(acme, track(NOW))
    refresh(sessions)
    from_what_was_kept = open_signals()
    assert "champion_inactive" in [name for name, *_ in from_what_was_kept]
    mark_due(session, "acme", ["a1"])
    session.commit()
    refresh(sessions)

    assert open_signals() == from_what_was_kept


def random_batch(random: Random, n: int) -> list[dict[str, Any]]:
    """A batch such as SDKs send: use of today and late use, of people and visitors, and calls."""
    use_calls = [
        track(
            NOW - timedelta(days=random.choice((0, 0, 0, 0, 1, 5, 40)), minutes=i),
            userId=(user := random.choice(("ada", "ben", "eve", None))),
            anonymousId=None if user else random.choice(("v1", "v2")),
            properties={"end_customer_id": f"c{random.randrange(9)}"},
        )
        for i in range(random.randrange(1, 4))
    ]
    told = [
        call("identify", NOW, userId="ben", anonymousId=f"v{n % 2 + 1}"),
        call("identify", NOW, userId="eve", traits={"email": "eve@acme.test"}),
        call("group", NOW, groupId="a1", traits={"employees": n}),
    ]
    return use_calls + random.sample(told, k=random.randrange(2))


@pytest.mark.parametrize("seed", range(5))
def test_whatever_comes_what_is_kept_is_what_would_be_added_up(
    acme: TestClient, session: Session, sessions: SessionFactory, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    for visitor in ("v1", "v2"):
        send(acme, track(LATE, userId=None, anonymousId=visitor))
    for n in range(12):
        send(acme, *random_batch(random, n))
        refresh(sessions)

        assert stored_activity(session) == computed_activity(session)
