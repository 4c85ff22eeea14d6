"""Numbered versions: the newest number of a workspace, and a new row."""

from sqlalchemy.orm import Session

from app.core.version_queries import get_newest_number, insert_row
from app.tables import AlertRule, Scorecard
from tests import factories
from tests.conftest import NOW


def insert_version(session: Session, workspace_id: str, version: int) -> Scorecard:
    columns = {"state": "draft", "config": {}, "created_at": NOW, "created_by": "kim"}
    return insert_row(session, workspace_id, Scorecard, version=version, **columns)


def insert_rule(session: Session, key: str, version: int) -> None:
    columns = {"active": True, "config": {}, "created_at": NOW, "created_by": "kim"}
    insert_row(session, "acme", AlertRule, key=key, version=version, **columns)


def test_numbers_are_counted_by_workspace(session: Session) -> None:
    for name in ("acme", "other"):
        factories.workspace(session, name)
    for version in (1, 2):
        row = insert_version(session, "acme", version)

        assert session.get(Scorecard, ("acme", version)) is row
        assert get_newest_number(session, "acme", Scorecard.version) == version
    assert get_newest_number(session, "other", Scorecard.version) == 0


def test_each_key_has_its_own_numbers(session: Session) -> None:
    factories.workspace(session)
    insert_rule(session, "churn", 1)
    insert_rule(session, "usage", 7)

    numbers = [get_newest_number(session, "acme", AlertRule.version, key=key) for key in "cu"]
    assert numbers == [0, 0]
    assert get_newest_number(session, "acme", AlertRule.version, key="churn") == 1
    assert get_newest_number(session, "acme", AlertRule.version, key="usage") == 7
