"""The page of promises names every scenario, and no other."""

from tests.faults.scenarios import SCENARIOS
from tests.test_docs import ROOT, rows


def test_the_page_has_each_scenario() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()

    assert {cells[0].strip("`") for cells in rows(page, "Promises").values()} == {*SCENARIOS}
