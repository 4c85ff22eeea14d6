"""Columns of which little is known, as of a measure that began late, never end a training."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.churn.model.candidates import ModelKind, fit
from app.churn.model.panel import Panel
from tests.churn import panels

MANY = panels.synthetic_panel(accounts=80, months=9)


def with_column(known: NDArray[np.bool_]) -> Panel:
    """Add a column that is known for some rows, with different values."""
    values = np.where(known, np.arange(len(MANY)) % 7, np.nan)
    return replace(MANY, names=(*MANY.names, "nps"), x=np.column_stack([MANY.x, values]))


@pytest.mark.parametrize("kind", [ModelKind.LOGISTIC, ModelKind.BOOSTED, ModelKind.DEEP])
@pytest.mark.parametrize(
    "panel",
    [
        pytest.param(with_column(MANY.account == 3), id="of one account"),
        pytest.param(with_column(MANY.day >= MANY.day.max() - 30), id="since the last months"),
        pytest.param(with_column(np.arange(len(MANY)) >= len(MANY) - 2), id="of the last two rows"),
    ],
)
def test_every_kind_learns_beside_a_column_that_is_hardly_known(
    kind: ModelKind, panel: Panel
) -> None:
    """Bags leave accounts out, and the rounds of deep trees are chosen on the earlier rows."""
    (part,) = fit(kind, panel, seed=1)

    assert np.isfinite(part.margin(panel.x)).all()
