import numpy as np

from app.features.days_of_use import DayCounts, DaysOfUse

AS_OF, NEVER = 1000, 2**31 - 1


def count(*parts: tuple[int, int, int], excluded_on: int = NEVER) -> dict[str, float]:
    """Count parts, each a day, the day on which it became known, and its events."""
    day, known_on, events = np.array(sorted(parts)).T
    counts = DayCounts(1, silence_days=30)
    counts.add(0, DaysOfUse(day, known_on, np.full(len(day), excluded_on), events), AS_OF)
    return {name: column[0] for name, column in counts.columns().items()}


def test_days_are_counted_by_their_age() -> None:
    """Days 0, 6, 7, 30, 83, 84 and 363 days ago; the one 364 days ago is too old."""
    ages = (0, 6, 7, 30, 83, 84, 363, 364)
    found = count(*((AS_OF - age, AS_OF - age, 1 + n) for n, age in enumerate(ages)))

    assert [found[f"events_{days}"] for days in (7, 14, 28, 84)] == [3, 6, 6, 15]
    assert [found[f"active_days_{days}"] for days in (7, 14, 28, 84, 364)] == [2, 3, 3, 5, 7]
    assert (found["events_28_before"], found["active_days_28_before"]) == (4, 1)
    assert [found[f"week_{n}"] for n in range(8)] == [3, 3, 0, 0, 4, 0, 0, 0]
    assert (found["recency"], found["oldest"]) == (0, 363)


def test_an_account_returns_on_the_latest_day_after_a_silence() -> None:
    """The silences before the days 5 and 60 days ago lasted 55 and 40 days."""
    ages = (3, 5, 60, 100, 110)

    assert count(*((AS_OF - age, AS_OF - age, 1) for age in ages))["returned"] == 5
    assert np.isnan(count((AS_OF - 3, AS_OF, 1), (AS_OF - 32, AS_OF, 1))["returned"])


def test_only_what_was_known_and_not_excluded_is_counted() -> None:
    found = count((AS_OF - 2, AS_OF, 5), (AS_OF - 2, AS_OF - 2, 1), (AS_OF - 1, AS_OF + 1, 9))
    excluded = count((AS_OF - 2, AS_OF - 2, 5), excluded_on=AS_OF)

    assert (found["events_7"], found["active_days_7"], found["recency"]) == (6, 1, 2)
    assert (excluded["events_7"], excluded["active_days_364"]) == (0, 0)
    assert np.isnan(excluded["recency"])


def test_an_account_without_use_has_no_last_day() -> None:
    columns = DayCounts(1, silence_days=30).columns()

    assert columns["events_84"].tolist() == [0]
    assert np.isnan(columns["recency"]).all()
