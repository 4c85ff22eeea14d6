from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.churn.model import artifacts
from app.churn.model.candidates import ModelKind
from app.churn.model.levels import ModelStage
from app.churn.model.model import Model
from app.churn.registry import store
from app.churn.tables import ChurnModel
from tests import factories
from tests.churn import panels
from tests.churn.model.test_model import fit_model

PANEL = panels.synthetic_panel()
MODELS = {kind: fit_model(kind, PANEL) for kind in (ModelKind.LOGISTIC, ModelKind.MEAN)}
CACHE_FOLDER = Path("models", "acme", "1")


def insert_model(
    session: Session, kind: ModelKind = ModelKind.MEAN, state: str = "active"
) -> ChurnModel:
    artifact = artifacts.dump(MODELS[kind])
    return factories.churn_model(session, state, artifact=artifact)


def is_same(model: Model | None, kind: ModelKind = ModelKind.MEAN) -> bool:
    assert model is not None
    return bool(np.array_equal(model.margin(PANEL.x), MODELS[kind].margin(PANEL.x)))


def test_no_model_is_loaded_without_an_active_one(session: Session) -> None:
    insert_model(session, state="shadow")

    assert store.load_active_model(session, "acme") is None


@pytest.mark.parametrize("kind", MODELS)
def test_the_active_model_is_loaded_and_cached_on_disk(session: Session, kind: ModelKind) -> None:
    insert_model(session, kind)

    found = store.load_active_model(session, "acme")

    assert is_same(found, kind)
    assert found is not None
    assert (found.stage, found.version) == (ModelStage.TRUSTED, 1)
    files = {path.name for path in CACHE_FOLDER.iterdir()}
    assert files == {"model.json", "card.json"} | (
        {"trees.skops"} if kind is ModelKind.MEAN else set()
    )


def test_a_cached_model_is_read_from_disk(session: Session) -> None:
    insert_model(session)
    store.load_active_model(session, "acme")
    session.execute(update(ChurnModel).values(head=b"{}", trees=None))

    assert is_same(store.load_active_model(session, "acme"))


@pytest.mark.parametrize("name", ["model.json", "trees.skops"])
@pytest.mark.parametrize("content", [b"", b"{}", None])
def test_an_altered_cache_file_is_restored_from_the_database(
    session: Session, name: str, content: bytes | None
) -> None:
    insert_model(session)
    store.load_active_model(session, "acme")
    before = (CACHE_FOLDER / name).read_bytes()
    if content is None:
        (CACHE_FOLDER / name).unlink()
    else:
        (CACHE_FOLDER / name).write_bytes(content)

    assert is_same(store.load_active_model(session, "acme"))
    assert (CACHE_FOLDER / name).read_bytes() == before


def test_a_model_loads_without_a_writable_cache_folder(session: Session) -> None:
    insert_model(session)
    Path("models").write_text("a file where the folder should be")

    assert is_same(store.load_active_model(session, "acme"))


def test_a_model_altered_in_the_database_is_not_used(session: Session) -> None:
    insert_model(session)
    session.execute(update(ChurnModel).values(head=artifacts.dump(MODELS[ModelKind.LOGISTIC]).head))

    assert store.load_active_model(session, "acme") is None


def test_only_one_model_can_be_active(session: Session) -> None:
    insert_model(session)

    with pytest.raises(Exception, match="churn_model_active_key"):
        insert_model(session)
