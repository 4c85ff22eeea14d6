import orjson
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.tables import Intervention, Message
from tests import factories
from tests.conftest import NOW
from tests.interventions.scenario import create_account, refresh, sent_messages


def test_more_than_fifty_at_once_are_one_digest(session: Session) -> None:
    factories.workspace(session)
    names = [f"a{number:02}" for number in range(51)]
    for name in names:
        create_account(session, name, "champion_inactive", mrr_cents=10_000 + int(name[1:]))

    refresh(session, *names[:50])
    assert {kind for kind, _ in sent_messages(session)} == {"suggestion.created"}
    session.execute(delete(Message))
    session.execute(delete(Intervention))
    refresh(session, *names)

    assert sent_messages(session) == [("suggestion.digested", None)]
    data = orjson.loads(session.scalars(select(Message.body)).one())["data"]
    assert (data["suggested"], data["playbooks"]) == (51, {"find_next_champion": 51})
    assert [each["account_id"] for each in data["accounts"]] == names[:40:-1]
    assert all(row.notified_at == NOW for row in session.scalars(select(Intervention)))
