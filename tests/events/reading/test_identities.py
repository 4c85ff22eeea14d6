from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from app.events.reading import segment
from app.events.reading.canonical import CanonicalEvent, EventRules, canonicalize
from app.events.reading.identities import AliasRow, Identities, merge_identities
from app.events.reading.times import ReceiveContext

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def call(
    n: int, kind: str, *, at: datetime = NOW, user_id: str | None = "ada", **fields: object
) -> CanonicalEvent:
    raw = {"type": kind, "messageId": f"m{n}", "timestamp": at.isoformat(), "userId": user_id}
    return canonicalize(
        n, {**raw, **fields}, segment.parse_call, EventRules(), ReceiveContext(NOW, None)
    )


def group(
    n: int, *, at: datetime = NOW, account_id: str = "a1", **traits: object
) -> CanonicalEvent:
    return call(n, "group", at=at, groupId=account_id, traits=traits)


def folded(*events: CanonicalEvent) -> Identities:
    found = merge_identities(events, {"vendor.example"})
    assert found is not None
    return found


def test_a_batch_without_identity_calls_has_no_identities() -> None:
    assert merge_identities([], ()) is None
    assert merge_identities([call(0, "track", event="Export", anonymousId="anon")], ()) is None
    assert merge_identities([call(0, "identify")], ()) is not None


def test_later_traits_win_whatever_the_order_of_the_batch() -> None:
    events = [
        group(1, at=NOW - HOUR, name="Old", plan="pro", tier=1),
        group(0, at=NOW, name="New", tier=2),
        call(2, "identify", at=NOW - HOUR, traits={"email": "old@x.example", "role": "admin"}),
        call(3, "identify", at=NOW, traits={"email": "new@x.example"}),
    ]
    for order in permutations(events):
        found = folded(*order)
        [account], [user] = found.accounts, found.users
        assert account.columns == {"name": "New", "plan": "pro"}
        assert (account.traits, account.traits_at) == ({"tier": 2}, NOW)
        assert user.columns == {"email": "new@x.example", "role": "admin"}


def test_rows_are_in_key_order_and_each_occurs_once() -> None:
    found = folded(
        *(group(n, account_id=account_id) for n, account_id in enumerate(["b", "a", "c", "a"])),
        *(call(n, "identify", user_id=user_id) for n, user_id in enumerate(["z", "y"], 9)),
    )

    assert [row.account_id for row in found.accounts] == ["a", "b", "c"]
    assert [row.user_id for row in found.users] == ["ada", "y", "z"]


def test_the_last_group_of_a_user_is_their_account() -> None:
    events = [
        group(1, at=NOW - HOUR, account_id="before"),
        group(0, at=NOW, account_id="now"),
        call(2, "identify", at=NOW + timedelta(minutes=1)),
    ]
    for order in permutations(events):
        [user] = folded(*order).users
        assert (user.account_id, user.account_since) == ("now", NOW)
    assert folded(group(0, account_id="a1")).users[0].account_id == "a1"
    assert folded(call(0, "group", groupId="a1", user_id=None)).users == []


def test_an_identify_call_can_name_an_account() -> None:
    [user] = folded(call(0, "identify", context={"groupId": "a1"})).users

    assert user.account_id == "a1"


@pytest.mark.parametrize(
    ("event", "aliases"),
    [
        (call(0, "alias", previousId="anon"), [AliasRow("anon", "ada", NOW.date())]),
        (call(0, "identify", anonymousId="anon"), [AliasRow("anon", "ada", NOW.date())]),
        (call(0, "alias", previousId="ada"), []),
        (call(0, "identify", user_id=None, anonymousId="anon"), []),
        (call(0, "identify"), []),
    ],
)
def test_an_alias_links_an_anonymous_id_to_a_user(
    event: CanonicalEvent, aliases: list[AliasRow]
) -> None:
    assert folded(event).aliases == aliases


@pytest.mark.parametrize(
    ("email", "excluded"),
    [
        ("eve@vendor.example", True),
        ("eve@VENDOR.example", True),
        ("eve@sub.vendor.example", False),
        (None, False),
    ],
)
def test_a_user_with_an_internal_address_is_excluded(email: str | None, excluded: bool) -> None:  # noqa: FBT001
    traits: dict[str, Any] = {"email": email}

    found = folded(call(0, "identify", traits=traits), call(1, "identify", at=NOW - HOUR))

    assert found.users[0].excluded is excluded


def test_prices_are_merged_by_day_with_their_event_numbers() -> None:
    found = folded(
        group(0, at=NOW - 2 * DAY, mrr=100, currency="eur"),
        group(1, at=NOW - HOUR, mrr=200),
        group(2, at=NOW - HOUR / 2, mrr=300, seats=5),
        group(3, at=NOW, name="Acme"),
        group(4, at=NOW, account_id="a2", name="Free"),
    )

    last = NOW - HOUR / 2
    assert [(row.account_id, row.day, row.price, row.numbers) for row in found.prices] == [
        (
            "a1",
            date(2026, 3, 16),
            {"mrr_cents": (NOW - 2 * DAY, 100_00), "currency": (NOW - 2 * DAY, "EUR")},
            [0],
        ),
        ("a1", date(2026, 3, 18), {"mrr_cents": (last, 300_00), "seats": (last, 5)}, [1, 2]),
    ]


def test_invalid_traits_are_listed_by_event_number() -> None:
    found = folded(group(4, mrr="a lot", seats=-1, name="Acme"), group(5, mrr=1))

    assert found.invalid_traits == {4: ("mrr", "seats")}
