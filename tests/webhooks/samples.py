"""Sample messages of every type, built from the examples of the message schemas."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy.orm import Session

from app.webhooks import outbox
from app.webhooks.message_fields import AccountPayload
from app.webhooks.message_schemas import CATALOGUE
from app.webhooks.outbox import NewMessage
from tests.conftest import NOW


def example_data(model: type[BaseModel]) -> dict[str, Any]:
    return {
        field.alias or name: _example(field)
        for name, field in model.model_fields.items()
        if name not in {"account_id", "sequence"}
    }


def _example(field: FieldInfo) -> Any:  # noqa: ANN401
    if field.examples:
        return field.examples[0]
    kind: Any = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return example_data(kind)
    return {bool: False}.get(kind, [] if "list" in str(kind) else _literal_or_time(field))


def _literal_or_time(field: FieldInfo) -> Any:  # noqa: ANN401
    return "failing" if "Literal" in str(field.annotation) else NOW


def sample(type_: str, account_id: str = "acme", **values: Any) -> NewMessage:  # noqa: ANN401
    payload = CATALOGUE[type_]
    subject = account_id if issubclass(payload, AccountPayload) else None
    return NewMessage(type_, example_data(payload) | values, subject)


def publish(session: Session, *messages: NewMessage) -> Sequence[str]:
    ids = outbox.publish(session, "acme", messages, now=NOW)
    session.flush()
    return ids
