"""What the uploads of a process share: places of each workspace, threads, and turns to store."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from app.core.errors import RateLimitedError

UPLOADS_PER_WORKSPACE = 2
UPLOAD_THREADS = 4
SLOTS_PER_TURN = 4
RETRY_SECONDS = 10

ResultT = TypeVar("ResultT")


class UploadLimits:
    """Keep uploads from the slots and threads of other requests.

    Only ``storing`` a file takes a database slot: the turns leave most slots to other requests.
    """

    def __init__(self, slots: int) -> None:
        self.storing = asyncio.Semaphore(max(1, slots // SLOTS_PER_TURN))
        self._threads = CapacityLimiter(UPLOAD_THREADS)
        self._running: Counter[str] = Counter()

    @contextmanager
    def place(self, workspace_id: str) -> Iterator[None]:
        """Hold a place of a workspace, or raise RateLimitedError if none is free."""
        if self._running[workspace_id] >= UPLOADS_PER_WORKSPACE:
            raise RateLimitedError(
                f"{UPLOADS_PER_WORKSPACE} uploads of this workspace are in progress: send the file"
                f" again when one of them has ended, or after {RETRY_SECONDS} s.",
                retry_after=RETRY_SECONDS,
            )
        self._running[workspace_id] += 1
        try:
            yield
        finally:
            self._running[workspace_id] -= 1
            if not self._running[workspace_id]:
                del self._running[workspace_id]

    async def run(self, work: Callable[[], ResultT]) -> ResultT:
        """Run work in one of a few threads of uploads; other requests are answered by others."""
        return await to_thread.run_sync(work, limiter=self._threads)
