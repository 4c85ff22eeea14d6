"""Streams of changes, as a browser reads them over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
import orjson
import pytest
import uvicorn
from sqlalchemy import delete, select, update

from app.changes.queries import Moment, NewChange, load_new_changes, record_changes
from app.core.db import SessionFactory, create_session_factory, transaction
from app.members import service
from app.members.roles import Role
from app.members.tables import Member, MemberSession
from app.web.live.hub import MOST_OF_SESSION, TooManyStreamsError
from app.workspaces.service import Actor
from tests import factories
from tests.servers.processes import eventually, free_port
from tests.test_pipeline import World

ACCEPT = {"Accept": "text/event-stream"}


@dataclass
class Site:
    """A running service with the workspaces ``acme`` and ``other``."""

    world: World
    server: uvicorn.Server
    members: int = 0

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.server.config.port}", timeout=60)

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """Open the browser of a new member of ``acme``."""
        self.members += 1
        email = f"kim{self.members}@example.com"
        with transaction(self.world.sessions) as session:
            factories.workspace(session)
            factories.workspace(session, "other")
            actor = Actor("acme", "test", self.world.now)
            _, link = service.invite_member(
                session, actor, email=email, name="Kim", role=Role.VIEWER
            )
        with self.client() as client:
            assert client.post(f"/sign-in/{link}").status_code == httpx.codes.SEE_OTHER
            yield client

    def record(self, workspace_id: str, account_id: str, kind: str = "score") -> None:
        with transaction(self.world.sessions) as session:
            change = NewChange(kind, account_id, {})
            record_changes(session, workspace_id, [change], now=self.world.now)


@pytest.fixture
def site(committed: SessionFactory) -> Iterator[Site]:
    world = World(committed)
    engine = committed.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
    world.app.state.autocommit_sessions = create_session_factory(engine)
    server = uvicorn.Server(uvicorn.Config(world.app, port=free_port(), log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield Site(world, server)
    world.app.state.draining = True  # as SIGTERM does in the main thread
    server.should_exit = True
    thread.join()


class Stream:
    """The messages of a stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        assert next(self._lines) == "retry: 3000"

    def next(self, *, after: object = None) -> dict[str, list[str]] | None:
        """Return the next message; None when the server has ended the stream in order.

        ``after``: the message before, which a new stream may get twice.
        """
        for line in self._lines:
            if line.startswith("data: "):
                found: dict[str, list[str]] = orjson.loads(line.removeprefix("data: "))
                if found != after:
                    return found
        return None


@contextmanager
def follow(client: httpx.Client) -> Iterator[Stream]:
    with client.stream("GET", "/live", headers=ACCEPT) as answer:
        assert answer.status_code == httpx.codes.OK
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


def test_a_page_learns_what_changed_in_its_workspace_and_nothing_of_others(site: Site) -> None:
    with site.browser() as kim, site.browser() as lee, follow(kim) as first, follow(lee) as second:
        site.record("other", "theirs")
        site.record("acme", "ours")
        assert [each.next() for each in (first, second)] == [{"score": ["ours"]}] * 2

        site.record("acme", "next", "alert")
        both = [each.next(after={"score": ["ours"]}) for each in (first, second)]
        assert [list(each or ()) for each in both] == [["alert"]] * 2


def test_a_new_stream_begins_with_the_changes_since_its_page_was_read(site: Site) -> None:
    with site.browser() as kim:
        site.record("acme", "before")
        site.world.now += timedelta(minutes=1)
        site.record("acme", "meanwhile")
        with follow(kim) as stream:
            assert stream.next() == {"score": ["meanwhile"]}


def test_a_change_is_in_one_round_also_if_its_transaction_runs_for_long(
    committed: SessionFactory,
) -> None:
    """The long one begins before the first round and commits after the second one."""

    def look(before: Moment | None) -> tuple[Moment, list[str | None]]:
        with committed() as session:
            moment, changes = load_new_changes(session, ["acme"], before)
            return moment, [account_id for _, _, account_id in changes]

    def record(account_id: str, session: object) -> None:
        changes = [NewChange("score", account_id, {})]
        record_changes(session, "acme", changes, now=factories.LONG_AGO)  # type: ignore[arg-type]

    with transaction(committed) as session:
        factories.workspace(session)
        record("old", session)
    with committed() as long:
        record("long", long)
        first, seen = look(None)
        assert seen == []
        with transaction(committed) as session:
            record("short", session)
        second, seen = look(first)
        assert seen == ["short"]
        long.commit()
    third, seen = look(second)
    assert seen == ["long"]
    assert look(third)[1] == []


@pytest.mark.parametrize("end", ["signed out", "removed", "idle", "too old"])
def test_a_stream_ends_with_its_session_and_says_nothing_after(site: Site, end: str) -> None:
    with site.browser() as kim, follow(kim) as stream:
        site.record("acme", "before")
        assert stream.next() == {"score": ["before"]}

        site.world.now += timedelta(hours=72 if end == "idle" else 1)
        early = site.world.now - timedelta(days=30)
        with transaction(site.world.sessions) as session:
            if end == "signed out":
                session.execute(delete(MemberSession))
            if end == "removed":
                session.execute(delete(Member))
            if end == "too old":
                session.execute(update(MemberSession).values(created_at=early))
        site.record("acme", "after")

        assert stream.next(after={"score": ["before"]}) is None


def test_streams_end_in_order_when_the_process_ends(site: Site) -> None:
    with site.browser() as kim:
        with follow(kim) as stream:
            site.world.app.state.draining = True
            assert stream.next() is None
        assert kim.get("/live", headers=ACCEPT).status_code == httpx.codes.SERVICE_UNAVAILABLE


def test_a_session_has_a_limited_number_of_streams(site: Site) -> None:
    with site.browser() as kim:
        with ExitStack() as streams:
            followed = [streams.enter_context(follow(kim)) for _ in range(MOST_OF_SESSION)]
            assert len(followed) == MOST_OF_SESSION
            assert not _may_follow(kim)
        eventually(lambda: _may_follow(kim))


def _may_follow(client: httpx.Client) -> bool:
    with client.stream("GET", "/live", headers=ACCEPT) as answer:
        assert answer.status_code in {httpx.codes.OK, TooManyStreamsError.status}
        return answer.status_code == httpx.codes.OK


def test_nobody_follows_without_a_session(site: Site) -> None:
    with site.client() as nobody:
        assert nobody.get("/live", headers=ACCEPT).headers["location"].startswith("/sign-in")


def test_a_page_that_reads_itself_again_does_not_prolong_its_session(site: Site) -> None:
    def seen_at() -> object:
        with site.world.sessions() as session:
            return session.scalar(select(MemberSession.seen_at))

    with site.browser() as kim:
        began = site.world.now
        site.world.now += timedelta(hours=1)
        assert kim.get("/profile", headers={"X-Live": "1"}).status_code == httpx.codes.OK
        with follow(kim):
            assert seen_at() == began
        kim.get("/profile")
        assert seen_at() == site.world.now


def test_other_clients_get_no_stream(site: Site) -> None:
    with site.browser() as kim:
        assert kim.get("/live").status_code == httpx.codes.NOT_ACCEPTABLE
