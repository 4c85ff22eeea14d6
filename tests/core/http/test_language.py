"""The language of an answer, by the query, by a header, and as the key of texts."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.core.http.language import LanguageDep

READ = "/read"


@pytest.fixture(scope="module")
def reader() -> TestClient:
    app = FastAPI()

    @app.get(READ)
    async def read(language: LanguageDep) -> str:
        return language

    return TestClient(app)


@pytest.mark.parametrize("tag", ["zh", "zh-CN", "zh_CN", "zh-Hans", "ZH"])
def test_a_tag_chooses_the_language(reader: TestClient, tag: str) -> None:
    for answer in (
        reader.get(READ, params={"lang": tag}, headers={"Accept-Language": "en"}),
        reader.get(READ, headers={"Accept-Language": f"en;q=0.3, {tag};q=0.4"}),
    ):
        assert (answer.status_code, answer.json()) == (200, "zh")


@pytest.mark.parametrize("tag", ["de", "de-DE", "zho", ""])
def test_an_unknown_language_is_refused_in_the_query_and_english_by_header(
    reader: TestClient, tag: str
) -> None:
    refused = reader.get(READ, params={"lang": tag})

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["msg"] == "Input should be 'en' or 'zh'"
    assert reader.get(READ, headers={"Accept-Language": tag}).json() == "en"
