import pytest

from bench.rig.client import Response, Run, percentile

RUN = Run([Response(0, 200, 0.1), Response(1, 503, 0.1), Response(2, 0, 0.1)], seconds=2)


def test_only_responses_with_200_count() -> None:
    assert RUN.succeeded == [0]
    assert RUN.per_second == 0.5


def test_a_run_with_failed_requests_is_refused() -> None:
    with pytest.raises(RuntimeError, match="2 of 3 requests failed"):
        RUN.require_success()


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3, 1, 2, 4], 0.5) == 2
    assert percentile([3, 1, 2, 4], 0.99) == 4
