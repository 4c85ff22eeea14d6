from collections import Counter
from datetime import UTC, datetime

import orjson
import pytest

from app.events.reading import segment
from app.events.reading.batch import Batch, parse_batch
from app.events.reading.canonical import EventRules
from app.events.reading.times import ReceiveContext
from bench.rig import load

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
SHAPE = load.LoadShape()


@pytest.fixture(scope="module")
def calls() -> list[load.Call]:
    return list(load.calls(SHAPE, 40_000, seed="a", now=NOW))


def test_the_same_seed_makes_the_same_load_and_another_seed_another() -> None:
    once, again, other = (list(load.calls(SHAPE, 50, seed=s, now=NOW)) for s in ("a", "a", "b"))
    assert once == again
    assert once != other


def test_every_event_has_its_own_id_and_comes_in_order_of_time(calls: list[load.Call]) -> None:
    assert len({call["messageId"] for call in calls}) == len(calls)
    times = [datetime.fromisoformat(call["timestamp"]) for call in calls]
    assert times == sorted(times)
    assert times[-1] < NOW


def test_there_are_no_more_accounts_users_and_names_than_the_shape_has(
    calls: list[load.Call],
) -> None:
    accounts = {call["context"]["groupId"] for call in calls}
    users = Counter(user.partition("-")[0] for user in {call["userId"] for call in calls})
    assert 1_900 < len(accounts) <= SHAPE.accounts == 2_000
    assert max(users.values()) == SHAPE.users == 20
    assert len({call["event"] for call in calls}) == SHAPE.names == 20


def test_a_user_belongs_to_one_account(calls: list[load.Call]) -> None:
    pairs = {(call["userId"], call["context"]["groupId"]) for call in calls}
    assert len(pairs) == len({user for user, _ in pairs})


def test_a_tenth_of_the_accounts_sends_half_of_the_events(calls: list[load.Call]) -> None:
    sent = Counter(call["context"]["groupId"] for call in calls)
    busiest = sum(count for _, count in sent.most_common(SHAPE.accounts // 10))
    assert 0.4 < busiest / len(calls) < 0.7


def test_a_fifth_of_the_events_names_an_end_customer(calls: list[load.Call]) -> None:
    share = sum("end_customer_id" in call["properties"] for call in calls) / len(calls)
    assert share == pytest.approx(SHAPE.end_customer_share, abs=0.01)


def test_requests_are_segment_batches_without_quarantined_events() -> None:
    for batch in load.batches(SHAPE, 3, 100, seed="a", now=NOW):
        _, _, body = load.request("key", batch).partition(b"\r\n\r\n")
        sent = orjson.loads(body)["batch"]
        parsed = parse_batch(
            Batch(sent), segment.parse_call, EventRules(), ReceiveContext(NOW, None, None, None)
        )
        assert len(parsed.events) == 100
        assert not parsed.rejected
        assert all(event.counted_as and not event.untimed for event in parsed.events)


def test_parsed_rows_are_the_input_of_the_ingest_function() -> None:
    [batch] = load.batches(SHAPE, 1, 10, seed="a", now=NOW)
    rows = load.parsed_rows(batch, now=NOW)
    assert [row["message_id"] for row in rows] == [call["messageId"] for call in batch]
    assert {row["n"] for row in rows} == set(range(10))
