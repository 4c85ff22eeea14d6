import pytest

from app.core.languages import Language, preferred_language
from app.health.definition.metrics import METRICS
from app.health.explanations.catalogue import CATALOGUES

EN, ZH = Language.EN, Language.ZH


@pytest.mark.parametrize("language", Language)
def test_every_metric_has_a_name_in_every_language(language: Language) -> None:
    assert set(CATALOGUES[language].metrics) == {*METRICS, "momentum"}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", EN),
        ("zh", ZH),
        ("zh-Hans-CN;q=0.9, en;q=0.8", ZH),
        ("en;q=0.5, zh", ZH),
        ("de, fr;q=0.9", EN),
        ("zh;q=0", EN),
        ("enm, zh;q=0.1", ZH),
        ("zh;q=often, ;;, *", EN),
    ],
)
def test_the_preferred_language_is_used(header: str, language: Language) -> None:
    assert preferred_language(header) is language
