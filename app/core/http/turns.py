"""Connections that have shown no valid key take turns, so that thousands starve no others."""

from asyncio import Transport, get_running_loop
from collections import deque
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl

TURN_SECONDS = 0.001


class Turns:
    """Gives a turn every ``seconds``: to one address after another, each in order of arrival.

    A turn returns whether it was of use; if not, the next one follows at once.
    """

    def __init__(self, seconds: float = TURN_SECONDS) -> None:
        self.seconds = seconds
        self._queues: dict[str, deque[Callable[[], bool]]] = {}
        self._is_paused = False

    def take(self, address: str, turn: Callable[[], bool]) -> None:
        """Call ``turn`` when it is due, which may be at once."""
        self._queues.setdefault(address, deque()).append(turn)
        if not self._is_paused:
            self._give()

    def _give(self) -> None:
        self._is_paused = False
        while self._queues and not self._is_paused:
            address, queue = next(iter(self._queues.items()))
            del self._queues[address]
            turn = queue.popleft()
            if queue:
                self._queues[address] = queue  # behind the others
            if turn():
                self._is_paused = True
                get_running_loop().call_later(self.seconds, self._give)


class ReadInTurn(FlowControl):
    """Once it is paused, a connection is read in turn, until it is trusted."""

    def __init__(self, transport: Transport, turns: Turns, address: str) -> None:
        super().__init__(transport)
        self.turns, self.address = turns, address
        self.is_trusted = self.is_queued = False

    def pause_reading(self) -> None:
        self.is_queued = False
        super().pause_reading()

    def resume_reading(self) -> None:
        if self.is_trusted:
            super().resume_reading()
        elif self.read_paused and not self.is_queued:
            self.is_queued = True
            self.turns.take(self.address, self._read)

    def trust(self) -> None:
        """Read the connection without turns from now on."""
        self.is_trusted, self.is_queued = True, False
        super().resume_reading()

    def _read(self) -> bool:
        if not self.is_queued or self._transport.is_closing():
            return False
        self.is_queued = False
        super().resume_reading()
        return True
