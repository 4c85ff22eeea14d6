from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.endpoint_state import INITIAL_LIMIT, MAX_LIMIT, ConcurrencyLimits


def test_a_limit_grows_with_successes_and_drops_to_one_after_a_failure() -> None:
    limits = ConcurrencyLimits()
    for _ in range(5):
        limits.begin("a")
        limits.end("a", succeeded=True)
    assert limits.free_slots() == {"a": INITIAL_LIMIT + 5}

    limits.begin("a")
    limits.end("a", succeeded=False)

    assert limits.free_slots() == {"a": 1}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=300))
def test_a_limit_stays_between_one_and_the_maximum(
    ends: list[tuple[str, bool]],
) -> None:
    limits = ConcurrencyLimits()
    for name, succeeded in ends:
        limits.begin(name)
        limits.end(name, succeeded=succeeded)

    assert limits.in_flight == 0
    assert all(1 <= slots <= MAX_LIMIT for slots in limits.free_slots().values())


def test_deliveries_in_flight_use_slots() -> None:
    limits = ConcurrencyLimits()
    for _ in range(INITIAL_LIMIT):
        limits.begin("a")

    assert (limits.free_slots(), limits.in_flight) == ({"a": 0}, INITIAL_LIMIT)
