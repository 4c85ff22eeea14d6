"""A few scenarios of the fault suite at their smallest size, by the code of the suite itself."""

import pytest

from tests.faults.scenarios import SHORT
from tests.faults.suite import describe_failures, run


@pytest.mark.parametrize("name", SHORT)
def test_nothing_is_lost_doubled_or_unexpected(name: str) -> None:
    report = run(name, seed=1, short=True)

    assert not report.has_failed, "\n".join(describe_failures(report))
