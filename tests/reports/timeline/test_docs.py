"""The page of the timeline lists every kind of entry with its events, and no other."""

import re

from app.reports.timeline.kinds import EVENTS
from tests.test_docs import ROOT, rows


def test_every_kind_is_documented_with_its_events() -> None:
    page = (ROOT / "docs" / "collaboration.md").read_text()
    listed = {
        kind: re.findall(r"`(\w+)`", events)
        for kinds, (events, _) in rows(page, "Timeline").items()
        for kind in re.findall(r"\w+", kinds)
    }

    assert listed == {kind.value: list(events) for kind, events in EVENTS.items()}
