import pytest
from pydantic import ValidationError

from app.interventions.experiments.design import ExperimentDesign


def test_fifteen_percent_are_held_out_by_default() -> None:
    design = ExperimentDesign(name="x", playbook="right_size")

    assert [(each.arm, each.share) for each in design.arms] == [("treated", 0.85)]


@pytest.mark.parametrize(
    "arms",
    [
        [],
        [{"arm": "control", "share": 0.5}],
        [{"arm": "a", "share": 0.5}, {"arm": "a", "share": 0.1}],
        [{"arm": "a", "share": 0.5}, {"arm": "b", "share": 0.5}],
        [{"arm": "a", "share": 0}],
    ],
)
def test_invalid_arms_are_rejected(arms: list[dict[str, object]]) -> None:
    with pytest.raises(ValidationError):
        ExperimentDesign.model_validate({"name": "x", "playbook": "right_size", "arms": arms})
