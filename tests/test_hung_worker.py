"""What happens to the work of a process whose transaction the server has ended meanwhile."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text
from sqlalchemy.exc import DBAPIError

from app import pipeline
from app.accounts.refresh_queue import mark_due
from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.postgres.engines import open_engine
from app.tables import Due, ParkedAccount
from tests import factories
from tests.conftest import NOW
from tests.faults.proxy import forwarding, socket_of
from tests.servers.processes import eventually

END_SOON = "SET idle_in_transaction_session_timeout = 50"
PID = "SELECT pg_backend_pid()"
IS_GONE = text("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = :pid")


@pytest.fixture
def over_network(committed: SessionFactory) -> Iterator[SessionFactory]:
    """Sessions over TCP: a socket file would not pass on what the server said at the end."""
    url = committed.kw["bind"].url
    with forwarding(socket_of(url)) as proxy:
        address = f"postgresql://postgres@127.0.0.1:{proxy.port}/{url.database}"
        engine = open_engine(address, pool_size=4, statement_timeout_seconds=20)
        yield create_session_factory(engine)
        engine.dispose()


def hang_after(sessions: SessionFactory, part: str) -> None:
    """Let the first transaction hang after a statement until the server has ended it."""
    has_hung: list[bool] = []
    engine = sessions.kw["bind"]

    def hang(connection: Connection, _: object, statement: str, *_rest: Any) -> None:  # noqa: ANN401
        if part not in statement or has_hung:
            return
        has_hung.append(True)
        cursor = connection.connection.cursor()
        cursor.execute(PID)
        [pid] = cursor.fetchone() or [0]
        cursor.execute(END_SOON)

        def is_gone() -> bool:
            with engine.connect() as other:
                return bool(other.scalar(IS_GONE, {"pid": pid}))

        eventually(is_gone)

    event.listen(engine, "after_cursor_execute", hang)


def test_accounts_of_a_worker_that_hung_stay_due_and_count_no_failure(
    over_network: SessionFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    with transaction(over_network) as session:
        factories.account(session, "a1")
        mark_due(session, "acme", ["a1"])
    hang_after(over_network, "AS notify")

    with pytest.raises(DBAPIError) as caught:
        pipeline.refresh_due(over_network, now=NOW)

    assert caught.value.connection_invalidated
    assert "refresh_failed" not in capsys.readouterr().err
    with transaction(over_network) as session:
        assert session.scalars(select(Due.account_id)).all() == ["a1"]
        assert session.scalars(select(ParkedAccount.account_id)).all() == []
