import pytest
from pydantic import ValidationError

from app.interventions.experiments.assignment import CONTROL
from app.interventions.experiments.design import (
    ArmCounts,
    ExperimentDesign,
    ExperimentVerdict,
    TreatedArm,
    compute_results,
)

DESIGN = ExperimentDesign(name="x", playbook="right_size")
TWO = ExperimentDesign(
    name="x",
    playbook="right_size",
    arms=[TreatedArm(arm="a", share=0.1), TreatedArm(arm="b", share=0.1)],
)


def test_by_default_fifteen_percent_are_held_out() -> None:
    assert [(each.arm, each.share) for each in DESIGN.arms] == [("treated", 0.85)]


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
def test_arms_that_cannot_be_are_refused(arms: list[dict[str, object]]) -> None:
    with pytest.raises(ValidationError):
        ExperimentDesign.model_validate({"name": "x", "playbook": "right_size", "arms": arms})


def test_few_units_make_no_number() -> None:
    found = compute_results(
        DESIGN, {"treated": ArmCounts(850, 700, 650), CONTROL: ArmCounts(150, 19, 10)}
    )

    assert found.verdict is ExperimentVerdict.INSUFFICIENT_SAMPLE
    assert [each.reading for each in found.arms] == [None, None]
    assert [each.rate for each in found.arms] == [pytest.approx(650 / 700), None]
    assert found.winner is None


def test_nobody_assigned_is_a_small_sample_too() -> None:
    found = compute_results(DESIGN, {})

    assert (found.verdict, found.sample_ratio_p) == (ExperimentVerdict.INSUFFICIENT_SAMPLE, 1)


def test_the_best_arm_that_beats_the_control_for_certain_wins() -> None:
    counts = {
        "a": ArmCounts(1000, 1000, 900),
        "b": ArmCounts(1000, 1000, 950),
        CONTROL: ArmCounts(8000, 8000, 6400),
    }

    found = compute_results(TWO, counts)

    assert (found.verdict, found.winner) == (ExperimentVerdict.OK, "b")
    assert [each.arm for each in found.arms] == ["a", "b", CONTROL]


def test_what_may_be_chance_does_not_win() -> None:
    counts = {"treated": ArmCounts(850, 850, 690), CONTROL: ArmCounts(150, 150, 118)}

    assert compute_results(DESIGN, counts).winner is None


def test_arms_of_the_wrong_size_win_nothing() -> None:
    counts = {"treated": ArmCounts(500, 500, 490), CONTROL: ArmCounts(500, 500, 300)}

    found = compute_results(DESIGN, counts)

    assert (found.verdict, found.winner) == (ExperimentVerdict.SAMPLE_RATIO_MISMATCH, None)


def test_more_arms_ask_for_more_certainty() -> None:
    counts = {"a": ArmCounts(1000, 1000, 900), CONTROL: ArmCounts(8000, 8000, 6400)}
    alone = ExperimentDesign(name="x", playbook="right_size", arms=[TreatedArm(arm="a", share=0.1)])
    alone_read, two_read = (
        next(each.reading for each in compute_results(design, counts).arms if each.arm == "a")
        for design in (alone, TWO)
    )

    assert alone_read is not None
    assert two_read is not None
    assert two_read.low < alone_read.low
