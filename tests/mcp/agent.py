"""The client of the SDK, connected to the app as an agent connects to the service."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

import httpx2
from fastapi.testclient import TestClient
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

ResultT = TypeVar("ResultT")
Mode = Literal["auto", "legacy", "2026-07-28"]


class Agent:
    """Calls tools with the key of a test client."""

    def __init__(self, client: TestClient, mode: Mode = "auto") -> None:
        self._client, self._mode = client, mode

    def use(self, work: Callable[[Client], Awaitable[ResultT]]) -> ResultT:
        """Run a coroutine with a connected client in the event loop of the app."""
        assert self._client.portal is not None
        return self._client.portal.call(self._connected, work)

    async def _connected(self, work: Callable[[Client], Awaitable[ResultT]]) -> ResultT:
        transport = httpx2.ASGITransport(app=self._client.app)
        headers = {"Authorization": self._client.headers["Authorization"]}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://testserver", headers=headers
        ) as http:
            streams = streamable_http_client("http://testserver/mcp", http_client=http)
            async with Client(streams, mode=self._mode) as connected:
                return await work(connected)

    def call(self, tool: str, **arguments: object) -> CallToolResult:
        async def work(connected: Client) -> CallToolResult:
            return await connected.call_tool(tool, arguments)

        return self.use(work)

    def answer(self, tool: str, **arguments: object) -> Any:  # noqa: ANN401 - any JSON
        """Return the structured answer of a tool that must succeed."""
        result = self.call(tool, **arguments)
        assert not result.is_error, result.content
        return result.structured_content
