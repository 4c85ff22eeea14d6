"""Kinds of imports: their fields, how cells are parsed, and how rows are validated."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from app.accounts.billing_periods import parse_billing_period
from app.accounts.schemas import (
    LARGEST_MRR_CENTS,
    AccountFields,
    ExternalIds,
    SystemName,
    Traits,
    UserFields,
)
from app.accounts.subscription_schemas import BillingFields
from app.accounts.traits import (
    SHORTENED_ID,
    is_shortened,
    parse_amount,
    parse_cents,
    parse_count,
    parse_currency,
    parse_day,
    trim_id,
)
from app.core.schemas import Count, Currency, Flag, Id, NewDay, NoticeDays, RequestModel, Text
from app.events.reading.identifiers import parse_identifier
from app.events.reading.quarantine_codes import QUARANTINE_CODES, QuarantineError
from app.imports.errors import RowError

FLAGS = {
    **dict.fromkeys(("true", "t", "1", "yes", "y"), True),
    **dict.fromkeys(("false", "f", "0", "no", "n"), False),
}
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")


class ImportKind(StrEnum):
    EVENTS = "events"
    ACCOUNTS = "accounts"
    USERS = "users"
    SUBSCRIPTIONS = "subscriptions"


class AccountKey(RequestModel):
    account_id: Id


class AccountImportRow(AccountFields, AccountKey):
    """A row of an account: omitted fields keep their values, null clears a field."""

    traits: Traits = Field(default_factory=dict)
    feature_exceptions: dict[Id, Flag] = Field(default_factory=dict)
    excluded: Flag = False
    external_ids: dict[SystemName, Id | ExternalIds | None] = Field(default_factory=dict)


class UserKey(RequestModel):
    user_id: Id


class UserImportRow(UserFields, UserKey):
    """A row of a user: omitted fields keep their values, null clears a field."""


class SubscriptionImportRow(BillingFields):
    """A period of one subscription on constant terms. ``known_on`` defaults to ``starts_on``."""

    account_id: Id
    subscription_id: Id = "main"
    starts_on: NewDay
    known_on: NewDay | None = None
    ends_on: NewDay | None = None
    end_reason: Text | None = None
    plan: Text | None = None
    mrr_cents: int = Field(ge=0, le=LARGEST_MRR_CENTS, strict=True)
    currency: Currency | None = None
    seats: Count | None = None
    renewal_on: NewDay | None = None
    notice_days: NoticeDays | None = None

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.ends_on is not None and self.ends_on <= self.starts_on:
            raise ValueError("ends_on must be after starts_on")
        return self


class InclusiveSubscriptionRow(SubscriptionImportRow):
    """A period that states its last paid day; ``ends_on`` becomes the day after it."""

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise ValueError("ends_on must not be before starts_on")
        if self.ends_on is not None and self.ends_on < date.max:
            self.ends_on += timedelta(days=1)
        return self


ROW_SCHEMAS: Mapping[ImportKind, type[RequestModel]] = {
    ImportKind.ACCOUNTS: AccountImportRow,
    ImportKind.USERS: UserImportRow,
    ImportKind.SUBSCRIPTIONS: SubscriptionImportRow,
}
IDENTITIES = ("account_id", "user_id", "anonymous_id")
ID_FIELDS = (*IDENTITIES, "parent_id", "subscription_id", "message_id", "end_customer_id")
EVENT_FIELDS = ("event", "timestamp", *IDENTITIES, "message_id", "end_customer_id")
REQUIRED_FIELDS: Mapping[ImportKind, tuple[tuple[str, ...], ...]] = {
    ImportKind.EVENTS: (("event",), ("timestamp",), IDENTITIES),
    ImportKind.ACCOUNTS: (("account_id",),),
    ImportKind.USERS: (("user_id",),),
    ImportKind.SUBSCRIPTIONS: (("account_id",), ("starts_on",), ("mrr", "mrr_cents")),
}
"""Fields that a file must have: at least one field of each inner tuple."""
OPEN_PREFIXES: Mapping[ImportKind, tuple[str, ...]] = {
    ImportKind.EVENTS: ("properties.",),
    ImportKind.ACCOUNTS: ("traits.", "external_ids."),
    ImportKind.USERS: ("traits.",),
}
"""Prefixes of fields with any name, such as ``traits.region``."""
OBJECT_FIELDS = frozenset({"traits", "feature_exceptions", "external_ids"})
"""Fields that a single column cannot hold."""


def mappable_fields(kind: ImportKind) -> tuple[str, ...]:
    """Return the fields that columns can be mapped to, besides those with an open prefix."""
    if kind is ImportKind.EVENTS:
        return EVENT_FIELDS
    fields = tuple(name for name in ROW_SCHEMAS[kind].model_fields if name not in OBJECT_FIELDS)
    return (*fields, "mrr") if kind is ImportKind.SUBSCRIPTIONS else fields


def _flag(text: str) -> bool:
    flag = FLAGS.get(text.strip().lower())
    if flag is None:
        raise ValueError("must be true or false")
    return flag


def refuse_shortened_ids(row: Mapping[str, Any]) -> None:
    """Raise ValueError if an id of a row lost digits: several rows would become one account."""
    ids = [(name, row.get(name)) for name in ID_FIELDS]
    external_ids = row.get("external_ids")
    if isinstance(external_ids, Mapping):
        for several in external_ids.values():
            ids += [("external_ids", each) for each in _as_list(several)]
    for name, value in ids:
        if isinstance(value, str) and is_shortened(trim_id(value)):
            raise ValueError(f"{name}: {SHORTENED_ID}")


def trim_ids(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose ids have no spaces around them and no byte-order marks."""
    return {
        name: _trimmed(value) if name in ID_FIELDS or name == "external_ids" else value
        for name, value in row.items()
    }


def _trimmed(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return {system: _trimmed(ids) for system, ids in value.items()}
    if isinstance(value, list):
        return [_trimmed(each) for each in value]
    return trim_id(value) if isinstance(value, str) else value


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _iso_day(text: str) -> str:
    return parse_day(text).isoformat()


COUNTS = ("employees", "end_customers", "seats", "mrr_cents", "notice_days", "term_months")
DAYS = ("started_on", "starts_on", "known_on", "ends_on", "renewal_on")
CELL_PARSERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(COUNTS, parse_count),
    **dict.fromkeys(DAYS, _iso_day),
    **dict.fromkeys(("excluded", "auto_renews"), _flag),
    "currency": parse_currency,
    "billing_period_months": parse_billing_period,
    "discount_share": lambda text: float(parse_amount(text)),
}
"""Parsers of cells by field; other cells stay texts."""


def parse_cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the mapped cells of a row into the values that a JSON row would have."""
    row: dict[str, Any] = {}
    for name, cell in cells.items():
        try:
            row[name] = CELL_PARSERS.get(name, str)(cell) if isinstance(cell, str) else cell
        except (ValueError, TypeError) as error:
            raise ValueError(f"{name}: {error}") from None
    return row


def nest_prefixed_fields(
    read: Callable[[list[str]], dict[str, Any]], prefixes: Sequence[str]
) -> Callable[[list[str]], dict[str, Any]]:
    """Wrap a cell reader: fields with an open prefix become one object for each prefix.

    Numbers in these objects become JSON numbers, except in external ids.
    """

    def read_nested(cells: list[str]) -> dict[str, Any]:
        row = read(cells)
        for prefix in prefixes:
            inner = {name: row.pop(name) for name in list(row) if name.startswith(prefix)}
            parse = str if prefix == "external_ids." else _parse_value
            if inner:
                values = {name.removeprefix(prefix): parse(text) for name, text in inner.items()}
                row[prefix.rstrip(".")] = values
        return row

    return read_nested


def _parse_value(text: str) -> str | float:
    """Return a number, or the text if it has leading zeros or too many digits."""
    match = NUMBER.fullmatch(text)
    if match is None:
        return text
    return float(text) if match[2] else int(text)


def validate_row(
    kind: ImportKind,
    raw: Any,  # noqa: ANN401 - any JSON value
    line: int,
    *,
    inclusive_ends: bool = False,
) -> dict[str, Any]:
    """Return the given fields of a row in the types of the tables, or raise RowError."""
    if not isinstance(raw, dict):
        raise RowError.from_code(line, "invalid_json")
    try:
        refuse_shortened_ids(raw)
        schema = InclusiveSubscriptionRow if inclusive_ends else ROW_SCHEMAS[kind]
        row = schema.model_validate(_in_cents(trim_ids(raw))).model_dump(exclude_unset=True)
        row |= _parse_ids(row)
    except ValidationError as error:
        raise RowError(line, "invalid_row", _sentence(error)) from None
    except ValueError as error:
        raise RowError(line, "invalid_row", str(error)) from None
    except QuarantineError as error:
        raise RowError(line, error.code, QUARANTINE_CODES[error.code]) from None
    return row


def _in_cents(raw: dict[str, Any]) -> dict[str, Any]:
    """Replace a price in major units (``mrr``) by ``mrr_cents``."""
    rest = {name: value for name, value in raw.items() if name != "mrr"}
    if raw.get("mrr") is None:
        return rest
    try:
        return {"mrr_cents": parse_cents(raw["mrr"])} | rest
    except (ValueError, TypeError) as error:
        raise ValueError(f"mrr: {error}") from None


def _parse_ids(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids of a row as events have them. Refuse placeholders such as null."""
    ids = {
        name: parse_identifier(row[name])
        for name in ("account_id", "parent_id", "user_id")
        if row.get(name) is not None
    }
    if "" in (ids.get("account_id"), ids.get("parent_id")):
        raise QuarantineError("invalid_account_id", "")
    if ids.get("user_id") == "":
        raise QuarantineError("missing_identity", "/user_id")
    return {name: value for name, value in ids.items() if value}


def _sentence(error: ValidationError) -> str:
    """Return what is wrong, and the field if its name cannot be data, such as an e-mail address."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    if not FIELD_NAME.fullmatch(place):
        place = str(first["loc"][0]) if first["loc"] else ""
    return f"{place}: {first['msg']}" if FIELD_NAME.fullmatch(place) else str(first["msg"])
