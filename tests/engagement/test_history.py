"""Imported history is known on its own day and queues no account."""

from sqlalchemy.orm import Session

from app.events.reading import segment
from app.imports.event_loader import EventLoader
from app.workspaces.queries import get_workspace
from tests import factories
from tests.conftest import NOW
from tests.engagement.semantic_calls import days_ago, engagement_of, semantic_call
from tests.events.calls import count_rows


def test_history_was_known_on_its_own_day(session: Session) -> None:
    factories.workspace(session)
    loader = EventLoader(get_workspace(session, "acme"), segment.parse_call, NOW, "import")
    ticket = semantic_call("Ticket Created", "m1", days=300, ticket_id="t1")

    loader.store(
        session, loader.parse([ticket, semantic_call("NPS Submitted", "m2", days=299, score=3)])
    )

    assert [each.ticket_id for each in engagement_of(session, days_ago(300)).open_tickets] == ["t1"]
    assert engagement_of(session, days_ago(301)).open_tickets == []
    assert len(engagement_of(session, days_ago(250)).nps.detractors) == 1
    assert count_rows(session, "due") == 0
