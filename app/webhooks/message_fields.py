"""What the schemas of messages have in common: types of fields, and the base classes."""

from datetime import date
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from app.core.schemas import NO_NUL

MAX_SENTENCE_LENGTH, MAX_SENTENCES = 300, 3


def _clipped(value: object) -> object:
    return value[:MAX_SENTENCE_LENGTH] if isinstance(value, str) else value


def _first(value: object) -> object:
    return list(value)[:MAX_SENTENCES] if isinstance(value, list | tuple) else value


Id = Annotated[str, Field(max_length=255)]
ShortText = Annotated[str, Field(max_length=60)]
Sentence = Annotated[str, BeforeValidator(_clipped), Field(max_length=MAX_SENTENCE_LENGTH)]
Sentences = Annotated[list[Sentence], BeforeValidator(_first)]
Path = Annotated[str, Field(max_length=4000, pattern=NO_NUL)]  # a key may take 9 bytes a letter
Direction = Literal["down", "up"]
SignalValue = float | ShortText | None
PERSONAL: dict[str, JsonValue] = {"x-personal": True}


def personal_field(example: str, description: str) -> Any:  # noqa: ANN401 - as pydantic's Field
    """Declare a field that is sent to endpoints with ``personal_data`` only."""
    return Field(None, description=description, examples=[example], json_schema_extra=PERSONAL)


def described_field(description: str, example: object, default: Any = ...) -> Any:  # noqa: ANN401
    return Field(default, description=description, examples=[example])


class StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", serialize_by_alias=True, defer_build=True)


class Payload(StrictModel):
    """The ``data`` of a message. ``of_account``: it is about one account."""

    of_account: ClassVar[bool] = False
    link: Path | None = described_field("A path in this service.", None, None)

    @classmethod
    @cache
    def personal_fields(cls) -> frozenset[str]:
        """Return the fields that are sent to endpoints with ``personal_data`` only."""
        extras = {name: field.json_schema_extra for name, field in cls.model_fields.items()}
        return frozenset(name for name, extra in extras.items() if extra == PERSONAL)


class AccountPayload(Payload):
    of_account = True
    account_id: Id = described_field("The account that the message is about.", "acme")
    sequence: int = described_field("Rises with each message about this account.", 42)
    account_name: Sentence | None = described_field("The name of the account.", "Acme Ltd", None)
    account_owner: Sentence | None = personal_field("kim@example.com", "The owner of the account.")
    mrr_cents: int | None = described_field("What the account pays a month.", 49900, None)
    mrr_currency: ShortText | None = described_field("The currency of it.", "USD", None)
    renewal_on: date | None = described_field("The next renewal.", "2026-06-01", None)
