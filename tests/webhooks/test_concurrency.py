from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.concurrency import INITIAL_LIMIT, MAX_LIMIT, ConcurrencyLimits


def test_a_window_grows_with_successes_and_closes_to_one_with_a_failure() -> None:
    windows = ConcurrencyLimits()
    for _ in range(5):
        windows.begin("a")
        windows.end("a", worked=True)
    assert windows.rooms() == {"a": INITIAL_LIMIT + 5}

    windows.begin("a")
    windows.end("a", worked=False)

    assert windows.rooms() == {"a": 1}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=300))
def test_a_window_is_never_wider_than_the_most_nor_narrower_than_one(
    ends: list[tuple[str, bool]],
) -> None:
    windows = ConcurrencyLimits()
    for name, worked in ends:
        windows.begin(name)
        windows.end(name, worked=worked)

    assert windows.under_way == 0
    assert all(1 <= room <= MAX_LIMIT for room in windows.rooms().values())


def test_what_is_under_way_takes_room() -> None:
    windows = ConcurrencyLimits()
    for _ in range(INITIAL_LIMIT):
        windows.begin("a")

    assert (windows.rooms(), windows.under_way) == ({"a": 0}, INITIAL_LIMIT)
