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
def test_a_model_is_read_back_to_the_last_bit(kind: ModelKind) -> None:
    model = fit_model(kind, PANEL)
    stored = artifacts.dump(model)

    again = artifacts.load(stored, stored.sha256)

    assert (again.margin(PANEL.x) == model.margin(PANEL.x)).all()
    assert (again.contributions(PANEL.x) == model.contributions(PANEL.x)).all()
    assert (again.names, again.bias, again.horizon_days) == (model.names, model.bias, 30)


def test_only_trees_need_more_than_json() -> None:
    assert artifacts.dump(fit_model(ModelKind.LOGISTIC, PANEL)).trees is None


STORED = artifacts.dump(fit_model(ModelKind.MEAN, PANEL))
TREES = STORED.trees or b""


@pytest.mark.parametrize(
    "changed",
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
def test_what_was_changed_is_not_read(changed: Artifact) -> None:
    with pytest.raises(UnusableArtifactError, match="hash"):
        artifacts.load(changed, STORED.sha256)


def test_what_other_versions_made_is_not_used() -> None:
    head = orjson.loads(STORED.head)
    head["versions"]["scikit-learn"] = "0.1"
    older = replace(STORED, head=orjson.dumps(head))

    with pytest.raises(UnusableArtifactError, match=r"0\.1"):
        artifacts.load(older, older.sha256)


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("it ran",))


def test_a_pickle_is_never_opened(capsys: pytest.CaptureFixture[str]) -> None:
    harmful = replace(STORED, trees=pickle.dumps(Harmful()))

    with pytest.raises(UnusableArtifactError):
        artifacts.load(harmful, harmful.sha256)

    assert capsys.readouterr().out == ""


def test_trees_may_hold_no_type_of_their_own() -> None:
    foreign = replace(STORED, trees=skops.io.dumps([np.random.default_rng(0), print, Harmful]))

    with pytest.raises(UnusableArtifactError):
        artifacts.load(foreign, foreign.sha256)


def test_trees_whose_nodes_lead_nowhere_are_refused() -> None:
    plain = skops.io.loads(TREES, trusted=[])
    plain[0]["nodes"]["left"][0] = 10**6
    wild = replace(STORED, trees=skops.io.dumps(plain))

    with pytest.raises(UnusableArtifactError):
        artifacts.load(wild, wild.sha256)
