"""Wire types of erasures and account moves."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.core.schemas import Id, RequestModel, ResponseModel
from app.lifecycle.kinds import IdChangeKind, IdChangeState, state_of
from app.lifecycle.tables import IdChange


class IdChangeProgress(ResponseModel):
    """The progress of a change that the worker processes."""

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
    def of(cls, change: IdChange) -> "ErasureOut":
        kind = "user" if change.kind == IdChangeKind.ERASE_USER else "account"
        return cls.from_row(change, kind=kind, state=_state(change))


class AccountMoveOut(IdChangeProgress):
    """The rename of an account, or its merge into another account."""

    id: str = Field(examples=["mv_5f0c1c5c3a2b4d6e8f90"])
    kind: Literal["rename", "merge"]
    account_id: str | None = Field(
        description="The old id, an alias of `target_id`. Null if the account was erased later.",
        examples=["acme-inc"],
    )
    target_id: str | None = Field(examples=["acme"])

    @classmethod
    def of(cls, change: IdChange) -> "AccountMoveOut":
        kind = "rename" if change.kind == IdChangeKind.RENAME else "merge"
        return cls.from_row(change, kind=kind, state=_state(change))


def _state(change: IdChange) -> IdChangeState:
    return state_of(
        step=change.step,
        fenced=change.fenced_at is not None,
        lifted=change.lifted_at is not None,
    )


class AccountRename(RequestModel):
    account_id: Id = Field(description="The new id.", examples=["acme"])


class AccountMerge(RequestModel):
    into: Id = Field(description="The id of the account that remains.", examples=["acme"])
