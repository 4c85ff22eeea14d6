"""How many statements a page needs: adding accounts to a page adds none."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from httpx2 import Response

from tests.statements import recorded_statements
from tests.web.accounts.conftest import SILENT
from tests.web.conftest import Browser

MOST = 6
MOST_WITH_OPEN_ROW = 10
PATHS = (
    "/today",
    "/accounts",
    "/accounts?sort=account_id",
    "/accounts?sort=score",
    '/accounts?filter={"band":"healthy"}&sort=-mrr',
    "/accounts?q=c0",
    f"/accounts/{SILENT}",
    f"/accounts/{SILENT}?tab=why",
    f"/accounts/{SILENT}?tab=timeline",
    f"/accounts/{SILENT}?tab=people",
    "/alerts",
)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Record statements, without those that not every page needs.

    These read the clock now and then, and the current id of an account where one was renamed.
    """
    counts: list[str] = []
    with recorded_statements() as statements:
        yield counts
    rare = ("clock_timestamp()", "FROM account_alias")
    counts += [each for each in statements if not any(part in each for part in rare)]


def read(reader: Browser, path: str) -> tuple[Response, list[str]]:
    reader.get(path)
    with counted() as statements:
        page = reader.get(path)
    assert page.status_code == 200
    return page, statements


@pytest.mark.parametrize("path", PATHS)
def test_a_page_needs_few_statements(reader: Browser, path: str) -> None:
    _, statements = read(reader, path)

    assert len(statements) <= MOST, statements


def test_a_later_page_of_the_list_needs_as_few(
    reader: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.accounts.list_view.PAGE_SIZE", 5)
    first, _ = read(reader, "/accounts")
    following = first.text.partition('" rel="next"')[0].rpartition('href="')[2]

    second, statements = read(reader, following.replace("&amp;", "&"))

    assert "cursor=" in str(second.url)
    assert len(statements) <= MOST, statements


def test_a_row_that_is_open_in_place_needs_four_more(reader: Browser) -> None:
    page, statements = read(reader, f"/accounts?open={SILENT}")

    assert "Nobody has used the product" in page.text
    assert len(statements) <= MOST_WITH_OPEN_ROW, statements
