"""A page that the database refuses is cut down to the row that it refuses."""

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


class Picky:
    """Lets the database divide by each record."""

    at_once: ClassVar[int] = 10

    def judge(self, page: RecordPage) -> ParsedPage:
        return ParsedPage(page, page.records)

    def prepare(self, sessions: SessionFactory, judged: ParsedPage) -> None: ...

    def write(self, session: Session, judged: ParsedPage) -> PageResult:
        for number in judged.content:
            account = {"id": f"a{number}", "number": number}
            session.execute(
                text("INSERT INTO account (workspace_id, account_id) VALUES ('acme', :id)"), account
            )
            session.execute(text("SELECT 1 / CAST(:number AS int)"), account)
        return PageResult(
            len(judged.content), first_day=date(2026, 1, min(judged.content, default=1))
        )


def test_a_row_that_the_database_cannot_hold_costs_itself_only(session: Session) -> None:
    page = RecordPage([5, 4, 0, 3, 2], [2, 3, 4, 5, 6])

    written = write_page(session, Picky(), Picky().judge(page), dry_run=False)

    found = session.scalars(text("SELECT account_id FROM account ORDER BY 1")).all()
    assert (written.stored, found) == (4, ["a2", "a3", "a4", "a5"])
    assert [(error.line, error.code) for error in written.errors] == [(4, "unstorable")]
    assert written.first_day == date(2026, 1, 2)
