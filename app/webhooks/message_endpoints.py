"""Messages over HTTP: list types, list messages, replay a message."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query
from pydantic import AwareDatetime, BaseModel, Field, create_model

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.webhooks import queries, service
from app.webhooks.message_types import MessageType
from app.webhooks.schemas import MessageOut, MessageTypeOut, ReplayOut
from app.workspaces.auth import AccountIdFilter, Reader, WebhookWriter
from app.workspaces.idempotency import IdempotentRoute

router = APIRouter(
    prefix="/api/v1",
    tags=["webhooks"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)


@router.get("/message-types", summary="List message types")
def list_message_types(caller: Reader) -> Page[MessageTypeOut]:  # noqa: ARG001 - requires a key
    """List all types of messages, each with the JSON Schema of its `data`."""
    from app.webhooks.message_schemas import CATALOGUE  # noqa: PLC0415 - it takes time to load

    items = [
        MessageTypeOut(
            type=name, description=each.__doc__ or "", data_schema=each.model_json_schema()
        )
        for name, each in CATALOGUE.items()
    ]
    return Page(items=items, next_cursor=None)


@router.get("/messages", summary="List messages")
def list_messages(
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    type: Annotated[  # noqa: A002 - the name in the API
        MessageType | None, Query(description="Only messages of this type.")
    ] = None,
    account_id: AccountIdFilter = None,
) -> Page[MessageOut]:
    """List published messages, newest first.

    Messages that no endpoint was subscribed to are included. Personal data is left out.
    """
    rows = queries.list_messages(
        session, caller.workspace_id, paging, type=type, account_id=account_id
    )
    return rows.to_page(MessageOut.from_message)


@router.post("/messages/{message_id}/replay", status_code=202, summary="Replay a message")
def replay_message(
    message_id: Id, session: SessionDep, caller: WebhookWriter, now: Now
) -> ReplayOut:
    """Deliver a message again, with the same `webhook-id`, to all endpoints that want it now.

    Endpoints that have received it already receive it again.
    """
    count = service.replay_message(session, caller.workspace_id, message_id, now=now)
    return ReplayOut(deliveries=count)


def add_webhooks(app: FastAPI) -> None:
    """Describe the messages that the service sends in the `webhooks` section of OpenAPI."""
    from app.webhooks.message_schemas import CATALOGUE  # noqa: PLC0415 - it takes time to load

    for type_, payload in CATALOGUE.items():
        receive = _receiver(type_, payload)
        app.webhooks.post(type_, status_code=204, tags=["webhooks"])(receive)


def _receiver(type_: str, payload: type[BaseModel]) -> Callable[..., None]:
    """Return a route function that describes the request a receiver gets for a message type."""
    literal: Any = Literal[type_]
    time = Field(description="When the message was created, not when it is sent.")
    model: Any = create_model(
        f"{payload.__name__}Message",
        type=(literal, ...),
        timestamp=(AwareDatetime, time),
        data=(payload, ...),
    )

    def receive(body: Any) -> None:  # noqa: ANN401 - documentation only
        pass

    receive.__annotations__["body"] = model
    receive.__doc__ = payload.__doc__
    receive.__name__ = type_.replace(".", "_")
    return receive
