"""The route of the Model Context Protocol. What serves it is loaded with the first request."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from app.core.http.routes import DeclaredRoute
from app.workspaces.auth import Reader

router = APIRouter(route_class=DeclaredRoute, include_in_schema=False)


class ToolResponse(Response):
    """Answers a request by the tool server."""

    def __init__(self, server: Any) -> None:  # noqa: ANN401 - its module is loaded late
        super().__init__()
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._server.handle(scope, receive, send)


@router.post("/mcp")
async def call_tools(request: Request, _caller: Reader) -> ToolResponse:
    """Answer an agent: which tools there are, or what a tool answers."""
    state = request.app.state
    if state.tool_server is None:
        from app.mcp.server import ToolServer  # noqa: PLC0415 - the SDK takes a second

        state.tool_server = ToolServer()
    return ToolResponse(state.tool_server)


async def stop(app: FastAPI) -> None:
    """End the tool server, if an agent has called."""
    if app.state.tool_server is not None:
        await app.state.tool_server.stop()
