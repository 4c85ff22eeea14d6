"""A page that the database refuses is halved down to the refused row."""

from datetime import date
from typing import ClassVar

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.imports.import_job import write_page
from app.imports.loaders import PageResult, ParsedPage
from app.imports.records import RecordPage
from tests import factories


@pytest.fixture(autouse=True)
def _workspace(session: Session) -> None:
    factories.workspace(session)


class DividingLoader:
    """Makes the database divide by each record, so that it refuses 0."""

    page_size: ClassVar[int] = 10

    def parse(self, page: RecordPage) -> ParsedPage:
        return ParsedPage(page, page.records)

    def prepare(self, sessions: SessionFactory, parsed: ParsedPage) -> None: ...

    def write(self, session: Session, parsed: ParsedPage) -> PageResult:
        for number in parsed.content:
            account = {"id": f"a{number}", "number": number}
            session.execute(
                text("INSERT INTO account (workspace_id, account_id) VALUES ('acme', :id)"), account
            )
            session.execute(text("SELECT 1 / CAST(:number AS int)"), account)
        return PageResult(
            len(parsed.content), first_day=date(2026, 1, min(parsed.content, default=1))
        )


def test_only_the_row_that_the_database_refuses_is_rejected(session: Session) -> None:
    page = RecordPage([5, 4, 0, 3, 2], [2, 3, 4, 5, 6])

    result = write_page(session, DividingLoader(), DividingLoader().parse(page), dry_run=False)

    stored = session.scalars(text("SELECT account_id FROM account ORDER BY 1")).all()
    assert (result.stored, stored) == (4, ["a2", "a3", "a4", "a5"])
    assert [(error.line, error.code) for error in result.errors] == [(4, "unstorable")]
    assert result.first_day == date(2026, 1, 2)
