import pytest

from app.interventions.experiments.assignment import CONTROL
from app.interventions.experiments.design import ExperimentDesign, TreatedArm
from app.interventions.experiments.results import ArmCounts, ExperimentVerdict, compute_results

DESIGN = ExperimentDesign(name="x", playbook="right_size")
TWO_ARMS = ExperimentDesign(
    name="x",
    playbook="right_size",
    arms=[TreatedArm(arm="a", share=0.1), TreatedArm(arm="b", share=0.1)],
)


def test_few_units_give_no_numbers() -> None:
    results = compute_results(
        DESIGN, {"treated": ArmCounts(850, 700, 650), CONTROL: ArmCounts(150, 19, 10)}
    )

    assert results.verdict is ExperimentVerdict.INSUFFICIENT_SAMPLE
    assert [each.difference for each in results.arms] == [None, None]
    assert [each.rate for each in results.arms] == [pytest.approx(650 / 700), None]
    assert results.winner is None


def test_an_experiment_without_units_is_an_insufficient_sample() -> None:
    results = compute_results(DESIGN, {})

    assert (results.verdict, results.sample_ratio_p) == (ExperimentVerdict.INSUFFICIENT_SAMPLE, 1)


def test_the_first_family_in_a_small_control_leaves_the_experiment_sound() -> None:
    small_control = ExperimentDesign(
        name="x", playbook="right_size", arms=[TreatedArm(arm="treated", share=0.95)]
    )

    results = compute_results(small_control, {CONTROL: ArmCounts(1)})

    assert results.verdict is ExperimentVerdict.INSUFFICIENT_SAMPLE
    assert results.sample_ratio_p == pytest.approx(1)


def test_the_best_arm_above_the_control_wins() -> None:
    counts = {
        "a": ArmCounts(1000, 1000, 900),
        "b": ArmCounts(1000, 1000, 950),
        CONTROL: ArmCounts(8000, 8000, 6400),
    }

    results = compute_results(TWO_ARMS, counts)

    assert (results.verdict, results.winner) == (ExperimentVerdict.OK, "b")
    assert [each.arm for each in results.arms] == ["a", "b", CONTROL]


def test_a_difference_that_may_be_chance_does_not_win() -> None:
    counts = {"treated": ArmCounts(850, 850, 690), CONTROL: ArmCounts(150, 150, 118)}

    assert compute_results(DESIGN, counts).winner is None


def test_no_arm_wins_with_a_sample_ratio_mismatch() -> None:
    counts = {"treated": ArmCounts(500, 500, 490), CONTROL: ArmCounts(500, 500, 300)}

    results = compute_results(DESIGN, counts)

    assert (results.verdict, results.winner) == (ExperimentVerdict.SAMPLE_RATIO_MISMATCH, None)


def test_more_arms_widen_the_intervals() -> None:
    counts = {"a": ArmCounts(1000, 1000, 900), CONTROL: ArmCounts(8000, 8000, 6400)}
    one_arm = ExperimentDesign(
        name="x", playbook="right_size", arms=[TreatedArm(arm="a", share=0.1)]
    )
    single, double = (
        next(each.difference for each in compute_results(design, counts).arms if each.arm == "a")
        for design in (one_arm, TWO_ARMS)
    )

    assert single is not None
    assert double is not None
    assert double.low < single.low
