"""Schemas of quarantined events, and of the requests and reports of replay and discard."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import (
    ConfigDict,
    Field,
    computed_field,
    model_validator,
)

from app.core.schemas import NO_NUL, Flag, Id, RequestModel, ResponseModel, Timestamp

QuarantineStatus = Literal["open", "replayed", "discarded"]
QuarantineId = Annotated[str, Field(pattern=r"^q_[0-9]{1,18}$", examples=["q_12"])]


class QuarantinedEventOut(ResponseModel):
    """An event that could not be used."""

    number: int = Field(exclude=True)
    code: str = Field(examples=["missing_event_name"])
    pointer: str = Field(examples=["/event"])
    detail: str = Field(examples=["A track call needs a non-empty event name."])
    message_id: str | None = Field(examples=["m-7"])
    sdk: str | None = Field(examples=["analytics-python/2.4.0"])
    key_id: str = Field(
        examples=["4dQz81kLmN"],
        description="The API key that sent it; `import` for an imported file.",
    )
    dialect: str = Field(examples=["segment"])
    status: QuarantineStatus
    times: int = Field(description="How often the same content was received.", examples=[1])
    received_at: datetime
    last_received_at: datetime

    @computed_field(examples=["q_12"])  # type: ignore[prop-decorator]
    @property
    def id(self) -> str:
        return f"q_{self.number}"


class QuarantinedEventDetail(QuarantinedEventOut):
    payload: str = Field(
        description="The event as received, as JSON text, cut to 64 KiB.",
        examples=['{"event": "", "userId": "ada"}'],
    )


class QuarantineGroup(ResponseModel):
    """Quarantined events of one code, key and SDK."""

    code: str = Field(examples=["missing_event_name"])
    key_id: str = Field(examples=["4dQz81kLmN"])
    sdk: str | None = Field(examples=["analytics-python/2.4.0"])
    events: int = Field(description="Number of different events.", examples=[3])
    times: int = Field(description="How often one of them was received.", examples=[120])
    first_received_at: datetime
    last_received_at: datetime
    example_id: str = Field(description="The id of the newest of them.", examples=["q_12"])


class QuarantineSummary(ResponseModel):
    """Counts of quarantined events: the 1,000 largest groups, and the totals of all groups."""

    events: int = Field(examples=[3])
    times: int = Field(examples=[120])
    groups: list[QuarantineGroup]


class QuarantineFilter(RequestModel):
    """Open events that match all given fields. The times refer to the first receipt."""

    code: Annotated[str, Field(max_length=40, pattern=NO_NUL)] | None = Field(
        None, examples=["too_old"]
    )
    key_id: Id | None = None
    sdk: Annotated[str, Field(max_length=100, pattern=NO_NUL)] | None = Field(
        None, examples=["analytics-python/2.4.0"]
    )
    received_from: Timestamp | None = Field(None, examples=["2026-03-01T00:00:00Z"])
    received_to: Timestamp | None = Field(
        None, description="Exclusive.", examples=["2026-03-02T00:00:00Z"]
    )


class QuarantineSelection(RequestModel):
    """Either `ids` or a `filter`. An empty filter selects all open events."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["ids"]}, {"required": ["filter"]}]}
    )

    ids: Annotated[list[QuarantineId], Field(min_length=1, max_length=1000)] = Field(
        default_factory=list, examples=[["q_12"]]
    )
    filter: QuarantineFilter = Field(
        default_factory=QuarantineFilter, examples=[{"code": "too_old"}]
    )

    @model_validator(mode="after")
    def _ids_or_filter(self) -> "QuarantineSelection":
        if len({"ids", "filter"} & self.model_fields_set) != 1:
            raise ValueError("Send exactly one of `ids` and `filter`.")
        return self

    @property
    def numbers(self) -> list[int]:
        return sorted({int(each.removeprefix("q_")) for each in self.ids})


class ReplayIn(QuarantineSelection):
    dry_run: Flag = Field(
        default=False, description="Report what would happen, without changing anything."
    )


ReplayStatus = Literal["replayed", "duplicate", "quarantined", "erased", "skipped"]


class ReplayResult(ResponseModel):
    """The result of one event. `skipped`: it was not replayed; the code gives the reason."""

    id: str = Field(examples=["q_12"])
    result: ReplayStatus
    code: str | None = Field(None, examples=["too_old"])
    detail: str | None = Field(None, examples=["The event is older than the retention period."])
    warnings: list[str] = Field([], examples=[["naive_timestamp"]])
    hints: list[str] = Field([], examples=[["`MRR` is not read; did you mean `mrr`?"]])


class ReplayReport(ResponseModel):
    """The counts of a replay.

    `selected = replayed + duplicates + quarantined + erased + skipped`.
    """

    dry_run: bool
    selected: int = Field(examples=[120])
    replayed: int = Field(description="Stored and counted now.", examples=[118])
    unattributed: int = Field(
        description="Replayed events that wait until the account of their user is known.",
        examples=[0],
    )
    duplicates: int = Field(description="Already stored in the meantime.", examples=[1])
    quarantined: int = Field(description="Still invalid; they stay open.", examples=[1])
    erased: int = Field(description="Events of people or accounts erased since.", examples=[0])
    skipped: int = Field(description="No longer open, or cut to 64 KiB.", examples=[0])
    more: bool = Field(description="Whether more events match the filter: call again.")
    results: Sequence[ReplayResult] = Field(description="The first 100 results.")


class DiscardReport(ResponseModel):
    selected: int = Field(examples=[12])
    discarded: int = Field(examples=[12])
    skipped: int = Field(description="No longer open.", examples=[0])
    more: bool = Field(description="Whether more events match the filter: call again.")
