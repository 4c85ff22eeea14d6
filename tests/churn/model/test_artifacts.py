import pickle
from dataclasses import replace

import numpy as np
import orjson
import pytest
import skops.io

from app.churn.model import artifacts
from app.churn.model.artifacts import Artifact, UnusableArtifactError
from app.churn.model.candidates import ModelKind
from tests.churn import panels
from tests.churn.model.test_model import fit_model

PANEL = panels.synthetic_panel()


@pytest.mark.parametrize("kind", ModelKind)
def test_a_loaded_model_is_bit_identical_to_the_dumped_one(kind: ModelKind) -> None:
    model = fit_model(kind, PANEL)
    stored = artifacts.dump(model)

    again = artifacts.load(stored, stored.sha256)

    assert (again.margin(PANEL.x) == model.margin(PANEL.x)).all()
    assert (again.contributions(PANEL.x) == model.contributions(PANEL.x)).all()
    assert (again.names, again.bias, again.horizon_days) == (model.names, model.bias, 30)


def test_a_model_without_trees_is_json_only() -> None:
    assert artifacts.dump(fit_model(ModelKind.LOGISTIC, PANEL)).trees is None


STORED = artifacts.dump(fit_model(ModelKind.MEAN, PANEL))
TREES = STORED.trees or b""


@pytest.mark.parametrize(
    "altered",
    [
        replace(STORED, head=STORED.head.replace(b'"horizon_days":30', b'"horizon_days":90')),
        replace(STORED, head=b""),
        replace(STORED, trees=None),
        replace(STORED, trees=b""),
        replace(STORED, trees=TREES[:-1]),
        replace(STORED, trees=TREES[:500] + b"\0" + TREES[501:]),
        Artifact(STORED.head + TREES[:1], TREES[1:]),
    ],
)
def test_an_altered_artifact_is_refused(altered: Artifact) -> None:
    with pytest.raises(UnusableArtifactError, match="hash"):
        artifacts.load(altered, STORED.sha256)


def test_an_artifact_of_other_library_versions_is_refused() -> None:
    head = orjson.loads(STORED.head)
    head["versions"]["scikit-learn"] = "0.1"
    older = replace(STORED, head=orjson.dumps(head))

    with pytest.raises(UnusableArtifactError, match=r"0\.1"):
        artifacts.load(older, older.sha256)


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("it ran",))


def test_a_pickle_is_refused_and_not_executed(capsys: pytest.CaptureFixture[str]) -> None:
    harmful = replace(STORED, trees=pickle.dumps(Harmful()))

    with pytest.raises(UnusableArtifactError):
        artifacts.load(harmful, harmful.sha256)

    assert capsys.readouterr().out == ""


def test_trees_with_custom_types_are_refused() -> None:
    foreign = replace(STORED, trees=skops.io.dumps([np.random.default_rng(0), print, Harmful]))

    with pytest.raises(UnusableArtifactError):
        artifacts.load(foreign, foreign.sha256)


def test_trees_with_invalid_node_indices_are_refused() -> None:
    plain = skops.io.loads(TREES, trusted=[])
    plain[0]["nodes"]["left"][0] = 10**6
    invalid = replace(STORED, trees=skops.io.dumps(plain))

    with pytest.raises(UnusableArtifactError):
        artifacts.load(invalid, invalid.sha256)
