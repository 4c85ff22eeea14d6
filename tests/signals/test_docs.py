"""docs/signals.md documents every signal and threshold, with the actual defaults."""

import re

import pytest

from app.signals.detect import SIGNALS
from app.signals.thresholds import DEFAULT_THRESHOLDS, SignalThresholds
from tests.test_docs import ROOT, rows

PAGE = (ROOT / "docs" / "signals.md").read_text()


def test_every_signal_has_its_row_in_order_of_precedence() -> None:
    assert list(rows(PAGE, "Catalogue")) == list(SIGNALS)


def test_every_threshold_is_documented() -> None:
    named = [name for cell in rows(PAGE, "Settings") for name in re.findall(r"\w+", cell)]

    assert sorted(named) == sorted(SignalThresholds.model_fields)


@pytest.mark.parametrize("cell", rows(PAGE, "Settings"))
def test_the_documented_defaults_are_the_actual_ones(cell: str) -> None:
    values = [getattr(DEFAULT_THRESHOLDS, name) for name in re.findall(r"\w+", cell)]
    texts = [", ".join(map(str, v)) if isinstance(v, list) else f"{v:g}" for v in values]

    assert rows(PAGE, "Settings")[cell][0] == "; ".join(texts)
