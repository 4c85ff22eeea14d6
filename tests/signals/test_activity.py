"""Use of the past is added up once a day, and again whenever it may have changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import pipeline
from app.accounts.queries import mark_due
from app.core.db import Sessions
from app.features.values import ReachSource
from app.signals import activity_queries
from app.signals.activity import Said
from app.signals.activity_queries import Quarter
from app.tables import AccountActivity, AccountSignal, Due, User
from tests import factories
from tests.conftest import NOW

TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
QUARTER = Quarter(YESTERDAY, TODAY, ReachSource())
ALIEN: dict[str, Any] = {"weeks": "as somebody left it"}


@pytest.fixture
def acme(client: TestClient, session: Session, sessions: Sessions) -> TestClient:
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


def refresh(sessions: Sessions, now: datetime = NOW) -> None:
    while pipeline.refresh_due(sessions, now=now):
        pass


def use(session: Session) -> Said | None:
    """Read what is kept of the account."""
    session.expire_all()
    row = session.get(AccountActivity, ("acme", "a1"))
    assert row is not None
    return row.said


def leave(session: Session, said: dict[str, Any] | None) -> None:
    """Write something that nobody can have added up: whoever adds up writes over it."""
    session.execute(update(AccountActivity).values(said=said))
    session.commit()


def fresh(session: Session) -> Said | None:
    return activity_queries.read(session, "acme", ["a1"], QUARTER).get("a1")


def call(kind: str, at: datetime, **more: object) -> dict[str, Any]:
    said = {"type": kind, "timestamp": at.isoformat(), "userId": "ada"}
    return said | {"context": {"groupId": "a1"}} | more


def track(at: datetime, event: str = "Export", **more: object) -> dict[str, Any]:
    return call("track", at, event=event, **more)


def send(client: TestClient, *batch: dict[str, Any]) -> None:
    answer = client.post("/v1/batch", json={"batch": batch})
    assert (answer.status_code, answer.json()["quarantined"]) == (200, 0), answer.text


def since(session: Session) -> Sequence[object]:
    return session.query(Due.used_since).order_by(Due.id).all()


def test_use_of_today_leaves_the_past_as_it_was_added_up(
    acme: TestClient, session: Session, sessions: Sessions
) -> None:
    kept = use(session)
    assert kept is not None
    assert kept == fresh(session)
    leave(session, None)

    send(acme, track(NOW))
    assert since(session) == [(TODAY,)]
    refresh(sessions)

    assert use(session) is None


LATE = NOW - timedelta(days=3)


@pytest.mark.parametrize(
    "batch",
    [
        [track(LATE)],
        [track(LATE), track(NOW)],
        [track(NOW), call("identify", NOW, traits={"email": "ada@acme.test"})],
        [call("identify", NOW, anonymousId="visitor")],
        [call("group", NOW, groupId="a1", traits={"employees": 5})],
        [track(NOW, event="Support Ticket Created", properties={"ticket_id": "t1"})],
    ],
    ids=["late", "late and today", "identify", "alias", "group", "semantic"],
)
def test_what_may_change_the_past_has_it_added_up_again(
    acme: TestClient, session: Session, sessions: Sessions, batch: Sequence[dict[str, Any]]
) -> None:
    leave(session, ALIEN)

    send(acme, *batch)
    refresh(sessions)

    assert use(session) == fresh(session)


def test_a_late_event_counts_though_use_of_today_came_first(
    acme: TestClient, session: Session, sessions: Sessions
) -> None:
    send(acme, track(NOW))
    send(acme, track(LATE, userId="eve"))
    send(acme, track(NOW, userId="eve"))

    refresh(sessions)

    kept = use(session)
    assert kept is not None
    assert kept == fresh(session)
    assert kept["users"][0] == 2


def test_an_event_just_before_midnight_is_of_the_past_after_it(
    acme: TestClient, session: Session, sessions: Sessions
) -> None:
    tomorrow = NOW + timedelta(days=1)
    mark_due(session, "acme", ["a1"])
    session.commit()
    refresh(sessions, tomorrow)
    leave(session, ALIEN)

    send(acme, track(NOW))  # the service's clock stands at the day before
    refresh(sessions, tomorrow)

    assert use(session) != ALIEN


def test_the_next_day_the_past_is_added_up_anew(
    acme: TestClient, session: Session, sessions: Sessions
) -> None:
    leave(session, ALIEN)
    send(acme, track(NOW))

    refresh(sessions, NOW + timedelta(days=1))

    assert use(session) != ALIEN


def test_another_way_of_counting_reach_does_not_take_what_was_counted_otherwise(
    acme: TestClient, session: Session
) -> None:
    assert acme
    leave(session, ALIEN)
    same = activity_queries.keep(session, "acme", ["a1"], QUARTER, unchanged=["a1"])
    assert same == {"a1": ALIEN}

    for reach in (ReachSource("property"), ReachSource("events", ["Export"])):
        other = Quarter(YESTERDAY, TODAY, reach)
        found = activity_queries.keep(session, "acme", ["a1"], other, unchanged=["a1"])
        assert found == activity_queries.read(session, "acme", ["a1"], other)


def test_somebody_who_is_excluded_is_out_of_the_past_at_once(
    acme: TestClient, session: Session, sessions: Sessions
) -> None:
    session.add(User(workspace_id="acme", user_id="ada", account_id="a1"))
    session.commit()

    answer = acme.patch("/api/v1/users/ada", json={"excluded": True})
    assert answer.status_code == 200, answer.text
    refresh(sessions)

    kept = use(session)
    assert kept is not None
    assert kept["user_id"] == "ben"


def test_an_account_that_fails_alone_looks_at_all_of_its_past(
    acme: TestClient, session: Session, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been marked for something else while it was tried."""
    leave(session, ALIEN)
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
    assert use(session) == fresh(session)


def test_signals_are_the_same_from_what_was_kept(
    acme: TestClient, session: Session, sessions: Sessions
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
