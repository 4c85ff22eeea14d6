"""The streams of a process, and the one reader that feeds them."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError

from app.changes.queries import (
    MOST_NEW_CHANGES,
    Changed,
    Moment,
    load_changes_since,
    load_new_changes,
)
from app.core.db import SessionFactory
from app.core.errors import ProblemError, RetryLaterError
from app.members.queries import load_valid_sessions
from app.members.service import SessionLimits

POLL_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 15
CHECK_SECONDS = 5
"""How long after the end of its session a stream ends. It has nothing to say meanwhile."""
CATCH_UP = timedelta(seconds=10)
"""A new stream begins with the changes of this time, in which its page was read."""
MOST_STREAMS, MOST_OF_SESSION, MOST_WAITING = 1000, 8, 20
MESSAGE = b"event: changed\ndata: %b\n\n"
EVERYTHING = MESSAGE % b'{"all":true}'
RETRY, KEEP_ALIVE = b"retry: 3000\n\n", b": still here\n\n"


class TooManyStreamsError(ProblemError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_streams"
    default_detail = "Too many pages are open: this one does not show changes by itself."


@dataclass(eq=False, slots=True)
class Stream:
    """An open page. ``messages``: what it has not been sent yet; None ends it."""

    workspace_id: str
    session_hash: bytes
    messages: asyncio.Queue[bytes | None] = field(
        default_factory=lambda: asyncio.Queue(MOST_WAITING)
    )
    is_new: bool = True

    def take(self, found: "Round") -> None:
        """Take what a round found; end with the session."""
        if self.session_hash in found.ended:
            self.put(None)
            return
        messages = {found.new.get(self.workspace_id)}
        if self.is_new:
            messages.add(found.recent.get(self.workspace_id))
        self.is_new = False
        for each in messages - {None}:
            self.put(each)

    def put(self, message: bytes | None) -> None:
        """Add a message. A page that reads too slowly ends: it connects and reads again."""
        while self.messages.full() or (message is None and not self.messages.empty()):
            self.messages.get_nowait()
            message = None
        self.messages.put_nowait(message)


@dataclass(frozen=True, slots=True)
class Round:
    """What a round of the reader found: messages by workspace, and the sessions that have ended.

    ``new``: since the round before. ``recent``: of the last seconds, for streams that are new.
    """

    moment: Moment
    new: Mapping[str, bytes]
    recent: Mapping[str, bytes]
    ended: Collection[bytes]


class Hub:
    """All streams of a process. Its reader runs while there are any."""

    def __init__(self, state: Any) -> None:  # noqa: ANN401 - of the app
        self._state = state
        self._streams: set[Stream] = set()
        self._reader: asyncio.Task[None] | None = None

    def check_room(self, session_hash: bytes) -> None:
        """Raise unless another stream of a session may begin."""
        own = sum(each.session_hash == session_hash for each in self._streams)
        if self._state.draining:
            raise RetryLaterError
        if own >= MOST_OF_SESSION or len(self._streams) >= MOST_STREAMS:
            raise TooManyStreamsError

    async def follow(self, stream: Stream) -> AsyncIterator[bytes]:
        """Yield what a page is sent, until it is closed or its stream ends."""
        self._streams.add(stream)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        try:
            yield RETRY
            while True:
                try:
                    message = await asyncio.wait_for(stream.messages.get(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    message = KEEP_ALIVE
                if message is None:
                    return
                yield message
        finally:
            self._streams.discard(stream)

    async def _read(self) -> None:
        """Look for changes until no stream is left or the process ends."""
        moment, check_at = None, 0.0
        time = asyncio.get_running_loop().time
        while self._streams and not self._state.draining:
            streams, is_due = set(self._streams), time() >= check_at
            with suppress(SQLAlchemyError, RetryLaterError):  # the next round finds what it missed
                found = await self._look(streams, moment, is_due=is_due)
                moment = found.moment
                check_at = time() + CHECK_SECONDS if is_due else check_at
                for stream in streams:
                    stream.take(found)
            await asyncio.sleep(POLL_SECONDS)
        self._reader = None
        for stream in self._streams:
            stream.put(None)

    async def _look(
        self, streams: Collection[Stream], moment: Moment | None, *, is_due: bool
    ) -> Round:
        state = self._state
        async with state.slots:
            return await to_thread.run_sync(
                partial(
                    look,
                    state.autocommit_sessions,
                    streams,
                    moment,
                    limits=state.session_limits,
                    now=state.clock(),
                    is_due=is_due,
                )
            )


def look(
    sessions: SessionFactory,
    streams: Collection[Stream],
    moment: Moment | None,
    *,
    limits: SessionLimits,
    now: datetime,
    is_due: bool,
) -> Round:
    """Read what changed: a statement for all pages. Sessions are checked before anything is sent.

    ``is_due``: check them in any case.
    """
    with sessions() as session:
        found, rows = load_new_changes(session, {each.workspace_id for each in streams}, moment)
        new, recent = _messages(rows), {}
        if fresh := {each.workspace_id for each in streams if each.is_new}:
            recent = _messages(load_changes_since(session, fresh, since=now - CATCH_UP))
        ended: set[bytes] = set()
        if is_due or new or recent:
            hashes = {each.session_hash for each in streams}
            ended = hashes - load_valid_sessions(
                session,
                hashes,
                created_after=now - limits.absolute,
                seen_after=now - limits.idle,
            )
    return Round(found, new, recent, ended)


def _messages(rows: Sequence[Changed]) -> dict[str, bytes]:
    """Return a message for each workspace: its accounts by the type of the change."""
    changed: dict[str, dict[str, list[str]]] = {}
    for workspace_id, type_, account_id in rows:
        changed.setdefault(workspace_id, {}).setdefault(type_, []).append(account_id or "")
    if len(rows) >= MOST_NEW_CHANGES:
        return dict.fromkeys(changed, EVERYTHING)
    return {key: MESSAGE % orjson.dumps(each) for key, each in changed.items()}
