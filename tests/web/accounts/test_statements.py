"""How many statements a page needs: adding accounts to a page adds none."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from tests.web.accounts.conftest import SILENT
from tests.web.conftest import Browser

MOST = {
    "/accounts": 11,
    "/accounts?sort=account_id": 6,
    f"/accounts/{SILENT}": 5,
    f"/accounts/{SILENT}?tab=why": 12,
}


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def add(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(" ".join(statement.split())[:100])

    event.listen(Engine, "before_cursor_execute", add)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", add)


@pytest.mark.parametrize("path", MOST)
def test_a_page_needs_few_statements(reader: Browser, path: str) -> None:
    reader.get(path)
    with counted() as statements:
        assert reader.get(path).status_code == 200

    assert len(statements) <= MOST[path]
