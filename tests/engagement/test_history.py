"""What imports of history tell was known on its own day, and wakes nobody."""

from sqlalchemy.orm import Session

from app.events import segment
from app.imports.events import EventLoader
from app.workspaces.queries import get_workspace
from tests import factories
from tests.conftest import NOW
from tests.engagement.telling import on, seen, told
from tests.events.calls import rows


def test_history_was_known_on_its_own_day(session: Session) -> None:
    factories.workspace(session)
    loader = EventLoader(get_workspace(session, "acme"), segment.read, NOW, "import")
    asked = told("Ticket Created", "m1", days=300, ticket_id="t1")

    loader.store(session, loader.read([asked, told("NPS Submitted", "m2", days=299, score=3)]))

    assert [each.ticket_id for each in seen(session, on(300)).open_tickets] == ["t1"]
    assert seen(session, on(301)).open_tickets == []
    assert len(seen(session, on(250)).nps.detractors) == 1
    assert rows(session, "due") == 0
