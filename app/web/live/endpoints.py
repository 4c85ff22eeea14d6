"""The route by which an open page learns what changed."""

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from app.core.errors import ProblemError
from app.members.tokens import hash_token
from app.web.frame.page_route import PageRoute
from app.web.frame.visits import LIVE_PATH, Viewing
from app.web.live.hub import Hub, Stream

EVENT_STREAM = "text/event-stream"
NOT_BUFFERED = {"X-Accel-Buffering": "no"}
"""nginx would hold messages back."""


class NotStreamedError(ProblemError):
    status = HTTPStatus.NOT_ACCEPTABLE
    code = "not_streamed"
    default_detail = "This address is for scripts of the pages: it answers text/event-stream only."


router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get(LIVE_PATH)
async def follow_changes(visit: Viewing) -> Response:
    """Send the accounts of the workspace that changed, until the page or the session ends."""
    if EVENT_STREAM not in visit.request.headers.get("accept", ""):
        raise NotStreamedError
    hub: Hub = visit.request.app.state.live
    stream = Stream(visit.workspace_id, hash_token(visit.token))
    hub.check_room(stream.session_hash)
    return StreamingResponse(hub.follow(stream), media_type=EVENT_STREAM, headers=NOT_BUFFERED)
