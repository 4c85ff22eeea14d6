"""Lists as iterations: the next page is requested when it is needed."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Generic, Protocol, TypeVar

from customer_health.calls import Call

Item = TypeVar("Item")
Page = TypeVar("Page")


class _Sender(Protocol):
    def send(self, call: Call) -> Any: ...  # noqa: ANN401 - any JSON


class Pages(Generic[Item, Page]):
    """Iterate over all items, or with ``pages()`` over the pages as the service answers them."""

    def __init__(self, sender: _Sender, call: Call) -> None:
        self._sender, self._call = sender, call

    def __iter__(self) -> Iterator[Item]:
        page: Any
        for page in self.pages():
            yield from page["items"]

    def pages(self) -> Iterator[Page]:
        call: Call | None = self._call
        while call:
            page = self._sender.send(call)
            yield page
            call = _next_call(call, page)


class AsyncPages(Generic[Item, Page]):
    """Iterate over all items, or with ``pages()`` over the pages as the service answers them."""

    def __init__(self, sender: _Sender, call: Call) -> None:
        self._sender, self._call = sender, call

    async def __aiter__(self) -> AsyncIterator[Item]:
        page: Any
        async for page in self.pages():
            for item in page["items"]:
                yield item

    async def pages(self) -> AsyncIterator[Page]:
        call: Call | None = self._call
        while call:
            page = await self._sender.send(call)
            yield page
            call = _next_call(call, page)


def _next_call(call: Call, page: Any) -> Call | None:  # noqa: ANN401 - any page
    cursor = page["next_cursor"]
    return None if cursor is None else call.with_cursor(cursor)
