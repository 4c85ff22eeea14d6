"""Wire types of erasures, account moves and the trace of an event."""

from datetime import date, datetime
from typing import Literal, Self

from pydantic import Field

from app.accounts.schemas import NewId
from app.core.schemas import Id, RequestModel, ResponseModel
from app.lifecycle.event_trace import ScoreInclusion
from app.lifecycle.tables import IdChange, IdChangeKind, IdChangeState

AccountFoundBy = Literal["event", "user", "alias"]


class IdChangeProgress(ResponseModel):
    """The progress of an erasure, a rename or a merge, which the worker processes."""

    state: IdChangeState
    step: str | None = Field(
        description="The current step; null when the change is done.", examples=["usage"]
    )
    rows: dict[str, int] = Field(
        description="Rows changed or removed so far, by step.", examples=[{"usage": 412}]
    )
    requested_by: str = Field(examples=["key:0aZ81bQ2xY"])
    requested_at: datetime
    finished_at: datetime | None


class ErasureOut(IdChangeProgress):
    """The erasure of a user or an account. It does not contain the erased id."""

    id: str = Field(examples=["er_5f0c1c5c3a2b4d6e8f90"])
    kind: Literal["user", "account"]
    lifted_at: datetime | None = Field(
        description="When the id was accepted again; null if it never was."
    )

    @classmethod
    def of(cls, change: IdChange) -> Self:
        is_user = change.kind == IdChangeKind.ERASE_USER
        return cls.from_row(change, kind="user" if is_user else "account")


class AccountMoveOut(IdChangeProgress):
    """The rename of an account, or its merge into another account."""

    id: str = Field(examples=["mv_5f0c1c5c3a2b4d6e8f90"])
    kind: Literal["rename", "merge"]
    account_id: str | None = Field(
        description="The old id, an alias of `target_id`. Null if the account was erased later.",
        examples=["acme-inc"],
    )
    target_id: str | None = Field(examples=["acme"])


class AccountRename(RequestModel):
    account_id: NewId = Field(description="The new id.", examples=["acme"])


class AccountMerge(RequestModel):
    into: Id = Field(description="The id of the account that remains.", examples=["acme"])


class TracedScore(ResponseModel):
    """The newest score of the account and whether it includes the event.

    `counted`: it does. `pending`: the account is about to be scored. `outside_window`: the event is
    too old. `frozen`: a source is silent, so that the score is not updated. `not_usage`: events of
    this kind do not count as usage. `no_score`: the account has no score yet.
    """

    state: ScoreInclusion = Field(examples=["counted"])
    value: float | None = Field(None, examples=[61.4])
    band: str | None = Field(None, examples=["healthy"])
    status: str | None = Field(None, examples=["ok"])
    as_of: date | None = None
    data_through: datetime | None = Field(
        None, description="The score includes events that were stored until then."
    )
    window_from: date | None = Field(None, description="The first day of the score's window.")


class TracedEvent(ResponseModel):
    """One event with the message id. `received_at` is the time of the first receipt."""

    verdict: Literal["accepted", "unattributed", "quarantined"]
    received_at: datetime
    key_id: str = Field(examples=["4dQz81kLmN"])
    sdk: str | None = Field(examples=["analytics-python/2.4.0"])
    client_at: datetime | None = Field(None, description="The time by the client's clock.")
    occurred_at: datetime | None = Field(
        None, description="The time of the event, corrected for the client's clock."
    )
    kind: str | None = Field(None, examples=["track"])
    name: str | None = Field(None, examples=["Report Exported"])
    account_id: str | None = Field(None, examples=["acme"])
    account_found_by: AccountFoundBy | None = Field(
        None, description="How the account was found: named by the event, or by its user or alias."
    )
    user_id: str | None = Field(None, examples=["ada"])
    anonymous_id: str | None = Field(None, examples=["web-1"])
    day: date | None = Field(None, description="The day on which the event counts.")
    known_on: date | None = Field(
        None, description="The first day on which the event was known to scores."
    )
    score: TracedScore | None = None
    quarantine_id: str | None = Field(None, examples=["q_12"])
    quarantine_status: Literal["open", "replayed", "discarded"] | None = None
    code: str | None = Field(None, examples=["missing_event_name"])
    detail: str | None = Field(None, examples=["A track call needs a non-empty event name."])
    times: int | None = Field(None, description="How many times it was quarantined.", examples=[1])

    @classmethod
    def of(cls, row: object, **values: object) -> Self:
        """Build from the fields that a stored row has, and from the given values."""
        of_row = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls.model_validate(of_row | values)


class EventTrace(ResponseModel):
    """All events with one message id: a client may send an id with several timestamps."""

    message_id: str = Field(examples=["m-7"])
    found: int = Field(
        examples=[1], description="0 if it was never received, was erased, or is past retention."
    )
    events: list[TracedEvent]
