"""Messages over HTTP: which types there are, what was said, and saying it once more."""

from collections.abc import Callable
from typing import Any, Literal

from fastapi import APIRouter, FastAPI
from pydantic import AwareDatetime, Field, create_model

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.webhooks import queries, service
from app.webhooks.message_schemas import CATALOGUE, MessageType, Payload
from app.webhooks.schemas import MessageOut, MessageTypeOut, ReplayOut
from app.workspaces.auth import AccountIdFilter, Reader, WebhookWriter

router = APIRouter(
    prefix="/api/v1", tags=["webhooks"], responses=problem_responses(400, 401, 403, 404, 422)
)


@router.get("/message-types")
def list_message_types(caller: Reader) -> Page[MessageTypeOut]:  # noqa: ARG001 - a key is asked for
    """List the types of messages with the JSON Schema of what each says."""
    return Page(items=MessageTypeOut.every(), next_cursor=None)


@router.get("/messages")
def list_messages(
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    type: MessageType | None = None,  # noqa: A002 - what it is called everywhere
    account_id: AccountIdFilter = None,
) -> Page[MessageOut]:
    """List what others were told, newest first, whether an endpoint wanted it or not."""
    found = queries.list_messages(
        session, caller.workspace_id, paging, type=type, account_id=account_id
    )
    return found.to_page(MessageOut.of)


@router.post("/messages/{message_id}/replay", status_code=202)
def replay_message(
    message_id: Id, session: SessionDep, caller: WebhookWriter, now: Now
) -> ReplayOut:
    """Deliver a message once more, under the same `webhook-id`, to all endpoints that choose it."""
    many = service.replay_message(session, caller.workspace_id, message_id, now=now)
    return ReplayOut(deliveries=many)


def _receiver(kind: str, payload: type[Payload]) -> Callable[..., None]:
    """Describe what is posted to whoever listens to a type."""
    named: Any = Literal[kind]
    said: Any = create_model(
        f"{payload.__name__}Message",
        type=(named, ...),
        timestamp=(AwareDatetime, Field(description="When it was written, not when it is sent.")),
        data=(payload, ...),
    )

    def receive(body: Any) -> None:  # noqa: ANN401 - only described
        pass

    receive.__annotations__["body"] = said
    receive.__doc__ = payload.__doc__
    receive.__name__ = kind.replace(".", "_")
    return receive


def add_webhooks_to_openapi(app: FastAPI) -> None:
    """Put the messages that we send into the app's OpenAPI."""
    for kind, payload in CATALOGUE.items():
        app.webhooks.add_api_route(
            kind,
            _receiver(kind, payload),
            methods=["POST"],
            status_code=204,
            tags=["webhooks"],
        )
