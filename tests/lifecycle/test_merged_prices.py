"""What events state of accounts that were merged: each price and end concerns its own account."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core.db import SessionFactory
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import group, track
from tests.lifecycle.id_changes import move_account

Call = dict[str, Any]


def ago(days: int) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def price(account_id: str, days: int, **traits: object) -> Call:
    return group(f"{account_id}-{days}", account_id, timestamp=ago(days), traits=traits)


def end(account_id: str, days: int) -> Call:
    context = {"groupId": account_id}
    name = "Subscription Cancelled"
    return track(f"end-{days}", event=name, timestamp=ago(days), context=context)


def dollars(client: TestClient, account_id: str) -> tuple[int, ...]:
    """Return what an account pays 60, 30 and 10 days ago and today."""
    found = []
    for days in (60, 30, 10, 0):
        on = {"on": (NOW - timedelta(days=days)).date().isoformat()}
        answer = client.get(f"/api/v1/accounts/{account_id}/mrr", params=on).json()
        found.append(answer["mrr_cents"].get("USD", 0) // 100)
    return tuple(found)


@pytest.fixture(autouse=True)
def _merged(client: TestClient, sessions: SessionFactory) -> None:
    """``old`` pays 100 since 60 days, ``new`` pays 70 since 50 days; today they become one."""
    calls.ingest(client, price("old", 60, mrr=100), price("new", 50, mrr=70))
    move_account(client, sessions, "old", "merge", into="new")


@pytest.mark.parametrize(
    ("late", "prices"),
    [  # the dollars 60, 30, 10 days ago and today
        ((), (100, 170, 170, 170)),
        ((end("old", 20),), (100, 170, 70, 70)),
        ((end("new", 20),), (100, 170, 100, 100)),
        ((end("old", 20), end("new", 15)), (100, 170, 0, 0)),
        ((end("old", 20), price("old", 40, mrr=120)), (100, 190, 70, 70)),
        ((price("old", 40, mrr=120), end("old", 20)), (100, 190, 70, 70)),
        ((price("old", 20, mrr=120),), (100, 170, 190, 190)),
        ((price("new", 20, mrr=80),), (100, 170, 180, 180)),
        ((price("new", 20, seats=5),), (100, 170, 170, 170)),
        ((price("new", 0, mrr=80),), (100, 170, 170, 80)),
        ((price("new", 0, mrr=80), price("old", 20, mrr=120)), (100, 170, 190, 80)),
        ((end("new", 0),), (100, 170, 170, 0)),
        ((end("old", 0),), (100, 170, 170, 70)),
        ((end("old", 0), end("new", 0)), (100, 170, 170, 0)),
        ((end("new", 0), end("old", 20)), (100, 170, 70, 0)),
    ],
)
def test_what_comes_after_a_merge_concerns_the_account_that_it_was_stated_of(
    client: TestClient, late: tuple[Call, ...], prices: tuple[int, ...]
) -> None:
    for number, call in enumerate(late):
        calls.ingest(client, call | {"messageId": f"late-{number}"})

    assert dollars(client, "new") == prices


def deleted(account_id: str, days: int) -> Call:
    context = {"groupId": account_id}
    name = "Account Deleted"
    return track(f"deleted-{days}", event=name, timestamp=ago(days), context=context)


@pytest.mark.parametrize(
    ("late", "prices"),
    [
        ((deleted("old", 20),), (100, 170, 70, 70)),
        ((deleted("old", 0),), (100, 170, 170, 70)),
        ((end("old", 20), deleted("old", 0)), (100, 170, 70, 70)),
        ((deleted("old", 0), end("old", 20)), (100, 170, 70, 70)),
        ((deleted("new", 20),), (100, 170, 100, 100)),
        ((deleted("old", 20), deleted("new", 15)), (100, 170, 0, 0)),
    ],
)
def test_a_deletion_under_the_old_id_ends_the_prices_of_the_old_account_only(
    client: TestClient, late: tuple[Call, ...], prices: tuple[int, ...]
) -> None:
    for number, call in enumerate(late):
        calls.ingest(client, call | {"messageId": f"late-{number}"})

    assert dollars(client, "new") == prices
    is_deleted = any(call["context"]["groupId"] == "new" for call in late)
    assert (client.get("/api/v1/accounts/new").json()["deleted_on"] is not None) is is_deleted


def put_subscription(client: TestClient, account_id: str, mrr: int) -> None:
    calls.ingest(client, group(account_id, account_id))
    body = {"account_id": account_id, "mrr_cents": mrr * 100, "starts_on": "2026-01-01"}
    assert client.put("/api/v1/subscriptions/main", json=body).status_code == 200


@pytest.mark.parametrize("renamed", [False, True], ids=["", "renamed before"])
@pytest.mark.parametrize(
    ("name", "prices"),
    [("Account Deleted", (50, 50, 20, 20)), ("Subscription Cancelled", (50,) * 4)],
)
def test_an_end_under_the_old_id_ends_at_most_subscriptions_of_the_old_account(
    client: TestClient,
    sessions: SessionFactory,
    name: str,
    prices: tuple[int, ...],
    *,
    renamed: bool,
) -> None:
    """``first`` pays 30, ``second`` 20 by the API; an event of 20 days ago comes late."""
    put_subscription(client, "first", 30)
    put_subscription(client, "second", 20)
    source = "first"
    if renamed:
        source = "was-first"
        move_account(client, sessions, "first", "rename", account_id=source)
    move_account(client, sessions, source, "merge", into="second")
    late = track("late", event=name, timestamp=ago(20), context={"groupId": "first"})
    calls.ingest(client, late)

    assert dollars(client, "second") == prices
    assert client.get("/api/v1/accounts/second").json()["deleted_on"] is None


def test_an_end_of_an_account_without_prices_ends_nothing_of_the_target(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, group("free", "free", traits={"name": "Free"}))
    move_account(client, sessions, "free", "merge", into="new")
    for number, name in enumerate(("Subscription Cancelled", "Account Deleted")):
        context = {"groupId": "free"}
        late = track(f"late-{number}", event=name, timestamp=ago(20), context=context)
        calls.ingest(client, late)

    assert dollars(client, "new") == (100, 170, 170, 170)


@pytest.mark.parametrize(
    ("late", "prices"),
    [  # ``bare`` had no price: what is told late of it runs beside the 100 and 70 of the others
        ((price("bare", 40, mrr=120),), (100, 290, 290, 290)),
        ((price("bare", 70, mrr=120),), (220, 290, 290, 290)),
        ((price("bare", 40, mrr=120), end("bare", 20)), (100, 290, 170, 170)),
        ((end("bare", 20), price("bare", 40, mrr=120)), (100, 290, 290, 290)),
        ((price("bare", 40, mrr=120), price("bare", 20, mrr=10)), (100, 290, 180, 180)),
        ((price("bare", 20, mrr=10), price("bare", 40, mrr=120)), (100, 290, 180, 180)),
        ((price("bare", 40, mrr=120), end("new", 20)), (100, 290, 220, 220)),
        ((price("bare", 40, mrr=120), price("new", 20, mrr=80)), (100, 290, 300, 300)),
        ((price("bare", 40, mrr=120), price("old", 20, mrr=90)), (100, 290, 280, 280)),
        ((price("bare", 40, mrr=120), price("new", 0, mrr=80)), (100, 290, 290, 80)),
        ((price("bare", 40, mrr=120), end("new", 0)), (100, 290, 290, 0)),
        ((price("bare", 40, seats=5),), (100, 170, 170, 170)),
    ],
)
def test_a_late_price_of_an_account_that_had_none_runs_beside_the_others(
    client: TestClient, sessions: SessionFactory, late: tuple[Call, ...], prices: tuple[int, ...]
) -> None:
    calls.ingest(client, group("bare", "bare", traits={"name": "Bare"}))
    move_account(client, sessions, "bare", "merge", into="new")
    for number, call in enumerate(late):
        calls.ingest(client, call | {"messageId": f"late-{number}"})

    assert dollars(client, "new") == prices


@pytest.mark.parametrize(
    ("late", "prices"),
    [  # ``bare`` had no price when ``priced``, which pays 30 since 50 days, became part of it
        ((price("bare", 40, mrr=120),), (0, 150, 150, 150)),
        ((price("priced", 40, mrr=40),), (0, 40, 40, 40)),
        ((price("bare", 40, mrr=120), price("priced", 20, mrr=40)), (0, 150, 160, 160)),
        ((price("priced", 20, mrr=40), price("bare", 40, mrr=120)), (0, 150, 160, 160)),
        ((end("bare", 20),), (0, 30, 30, 30)),
        ((end("priced", 20),), (0, 30, 0, 0)),
        ((price("bare", 40, mrr=120), end("bare", 20)), (0, 150, 30, 30)),
        ((price("bare", 0, mrr=80),), (0, 30, 30, 80)),
        ((end("bare", 0),), (0, 30, 30, 0)),
        ((price("bare", 20, seats=5),), (0, 30, 30, 30)),
    ],
)
def test_a_late_price_of_a_target_that_had_none_runs_beside_the_others(
    client: TestClient, sessions: SessionFactory, late: tuple[Call, ...], prices: tuple[int, ...]
) -> None:
    calls.ingest(
        client, group("bare", "bare", traits={"name": "Bare"}), price("priced", 50, mrr=30)
    )
    move_account(client, sessions, "priced", "merge", into="bare")
    for number, call in enumerate(late):
        calls.ingest(client, call | {"messageId": f"late-{number}"})

    assert dollars(client, "bare") == prices


def test_seats_since_a_merge_are_those_of_the_only_price(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(
        client, group("bare", "bare", traits={"name": "Bare"}), price("priced", 50, mrr=30)
    )
    move_account(client, sessions, "priced", "merge", into="bare")
    calls.ingest(client, price("bare", 0, seats=5))

    listed = client.get("/api/v1/subscriptions", params={"account_id": "bare"}).json()["items"]
    assert [(each["mrr_cents"], each["seats"]) for each in listed] == [(30_00, 5)]


@pytest.mark.parametrize("mrr", [None, 50])
def test_a_late_price_counts_until_the_terms_of_the_merged_account_from_another_source(
    client: TestClient, sessions: SessionFactory, mrr: int | None
) -> None:
    """``first`` pays 30 by the API since 1 January (77 days), and before that what events state."""
    if mrr:
        calls.ingest(client, price("first", 80, mrr=mrr))
    put_subscription(client, "first", 30)
    move_account(client, sessions, "first", "merge", into="new")
    late = [price("first", 79, mrr=20), price("first", 40, mrr=120)]
    calls.ingest(client, *(call | {"messageId": f"late-{n}"} for n, call in enumerate(late)))

    assert dollars(client, "new") == (130, 200, 200, 200)
    before = {"on": (NOW - timedelta(days=78)).date().isoformat()}
    found = client.get("/api/v1/accounts/new/mrr", params=before).json()["mrr_cents"]
    assert found == {"USD": 20_00}


def test_a_deletion_under_the_old_id_of_a_renamed_account_is_its_own(
    client: TestClient, sessions: SessionFactory
) -> None:
    put_subscription(client, "first", 30)
    move_account(client, sessions, "first", "rename", account_id="second")
    calls.ingest(client, deleted("first", 20))

    assert dollars(client, "second") == (30, 30, 0, 0)
    assert client.get("/api/v1/accounts/second").json()["deleted_on"] == "2026-02-26"


def test_a_merge_keeps_the_days_of_a_trial_together_and_no_deletion(
    client: TestClient, sessions: SessionFactory
) -> None:
    """``first`` had a trial with an end and was deleted; ``second`` is in one without an end."""
    trials: tuple[tuple[str, str, int, Call], ...] = (
        ("first", "Trial Started", 60, {"trial_end_date": "2026-02-01"}),
        ("first", "Account Deleted", 30, {}),
        ("second", "Trial Started", 5, {}),
        ("third", "Trial Started", 50, {"trial_end_date": "2026-03-01"}),
    )
    for number, (account_id, name, days, properties) in enumerate(trials):
        context = {"groupId": account_id}
        at, sent = ago(days), {"properties": properties, "context": context}
        calls.ingest(client, track(f"trial-{number}", event=name, timestamp=at, **sent))
    move_account(client, sessions, "first", "merge", into="second")
    move_account(client, sessions, "third", "merge", into="new")

    for account_id, expected in (
        ("second", ("2026-03-13", None, None)),
        ("new", ("2026-01-27", "2026-03-01", None)),
    ):
        found = client.get(f"/api/v1/accounts/{account_id}").json()
        dates = found["trial_started_on"], found["trial_ends_on"], found["deleted_on"]
        assert dates == expected
