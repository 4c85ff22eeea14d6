"""The clients: all operations of the API as methods, and a follower of the change feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from customer_health._generated.async_operations import AsyncOperations
from customer_health._generated.operations import Operations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from customer_health import models


class Client(Operations):
    """All operations by their names in the documentation of the API (``/docs``)."""

    def follow_changes(
        self,
        cursor: str | None = None,
        *,
        types: str | None = None,
        start: models.FeedStart | None = None,
        limit: int = 500,
        every: float | None = None,
    ) -> Iterator[models.ChangesOut]:
        """Yield pages of the change feed after a cursor, in the order of commits.

        Store ``next_cursor`` of each page in the transaction of the work that its items cause: then
        each change has its effect exactly once, wherever your process stops. ``every``: go on with
        new changes, after so many seconds without; otherwise it ends at the last change.
        """
        more = True
        while more or every is not None:
            page = self.list_changes(**_feed(cursor, types, start, limit))
            yield page
            cursor, more = page["next_cursor"], page["has_more"]
            if every is not None and not more:
                self._sleep(every)


class AsyncClient(AsyncOperations):
    """All operations by their names in the documentation of the API (``/docs``)."""

    async def follow_changes(
        self,
        cursor: str | None = None,
        *,
        types: str | None = None,
        start: models.FeedStart | None = None,
        limit: int = 500,
        every: float | None = None,
    ) -> AsyncIterator[models.ChangesOut]:
        """Yield pages of the change feed after a cursor: see ``Client.follow_changes``."""
        more = True
        while more or every is not None:
            page = await self.list_changes(**_feed(cursor, types, start, limit))
            yield page
            cursor, more = page["next_cursor"], page["has_more"]
            if every is not None and not more:
                await self._sleep(every)


def _feed(
    cursor: str | None, types: str | None, start: models.FeedStart | None, limit: int
) -> dict[str, Any]:
    """Return the parameters of a page; where the feed starts is in the cursor, if there is one."""
    start = start if cursor is None else None
    return {"cursor": cursor, "types": types, "start": start, "limit": limit}
