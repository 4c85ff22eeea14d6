"""Messages as other stages publish them, one for each type: what their schemas give as examples."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy.orm import Session

from app.webhooks import outbox
from app.webhooks.message_schemas import CATALOGUE, AccountPayload
from app.webhooks.outbox import NewMessage
from tests.conftest import NOW


def example_data(model: type[BaseModel]) -> dict[str, Any]:
    return {
        name: _example(field)
        for name, field in model.model_fields.items()
        if name not in {"account_id", "sequence"}
    }


def _example(field: FieldInfo) -> Any:  # noqa: ANN401
    if field.examples:
        return field.examples[0]
    kind: Any = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return example_data(kind)
    return {bool: False}.get(kind, [] if "list" in str(kind) else _word(field))


def _word(field: FieldInfo) -> Any:  # noqa: ANN401
    return "failing" if "Literal" in str(field.annotation) else NOW


def sample(kind: str, account_id: str = "acme", **said: Any) -> NewMessage:  # noqa: ANN401
    payload = CATALOGUE[kind]
    named = account_id if issubclass(payload, AccountPayload) else None
    return NewMessage(kind, example_data(payload) | said, named)


def publish(session: Session, *messages: NewMessage) -> Sequence[str]:
    ids = outbox.publish(session, "acme", messages, now=NOW)
    session.flush()
    return ids
