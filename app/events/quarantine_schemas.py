"""What is told of events that were put aside, and what can be done with them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
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
    key_id: str = Field(examples=["4dQz81kLmN"], description="The API key; `import` for a file.")
    dialect: str = Field(examples=["segment"])
    status: QuarantineStatus
    times: int = Field(description="How often the same content came.", examples=[1])
    received_at: datetime
    last_received_at: datetime

    @computed_field(examples=["q_12"])  # type: ignore[prop-decorator]
    @property
    def id(self) -> str:
        return f"q_{self.number}"


class QuarantinedEventDetail(QuarantinedEventOut):
    payload: str = Field(
        description="The event as it came, as JSON text, cut to 64 KiB.",
        examples=['{"event": "", "userId": "ada"}'],
    )


class QuarantineGroup(ResponseModel):
    """Events put aside for one reason, of one key and SDK."""

    code: str = Field(examples=["missing_event_name"])
    key_id: str = Field(examples=["4dQz81kLmN"])
    sdk: str | None = Field(examples=["analytics-python/2.4.0"])
    events: int = Field(description="Different ones.", examples=[3])
    times: int = Field(description="How often one of them came.", examples=[120])
    first_received_at: datetime
    last_received_at: datetime
    example_id: str = Field(description="The newest of them.", examples=["q_12"])


class QuarantineSummary(BaseModel):
    """The largest groups first, at most 1,000 of them. The totals are of all."""

    events: int = Field(examples=[3])
    times: int = Field(examples=[120])
    groups: list[QuarantineGroup]


class QuarantineFilter(RequestModel):
    """Open events that fit everything that is named; the times are those of first receipt."""

    code: Annotated[str, Field(max_length=40, pattern=NO_NUL)] | None = Field(
        None, examples=["too_old"]
    )
    key_id: Id | None = None
    sdk: Annotated[str, Field(max_length=100, pattern=NO_NUL)] | None = Field(
        None, examples=["analytics-python/2.4.0"]
    )
    received_from: Timestamp | None = Field(None, examples=["2026-03-01T00:00:00Z"])
    received_to: Timestamp | None = Field(
        None, description="The first moment after.", examples=["2026-03-02T00:00:00Z"]
    )


class QuarantineSelection(RequestModel):
    """Either `ids` or a `filter`; an empty filter means everything that is open."""

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
    def _one_of_two(self) -> "QuarantineSelection":
        if len({"ids", "filter"} & self.model_fields_set) != 1:
            raise ValueError("Name either ids or a filter.")
        return self

    @property
    def numbers(self) -> list[int]:
        return sorted({int(each.removeprefix("q_")) for each in self.ids})


class ReplayIn(QuarantineSelection):
    dry_run: Flag = Field(default=False, description="Tell what would happen, and change nothing.")


ReplayStatus = Literal["replayed", "duplicate", "quarantined", "erased", "skipped"]


class ReplayResult(BaseModel):
    """What became of one event. `skipped`: it was not tried, the code says why."""

    id: str = Field(examples=["q_12"])
    result: ReplayStatus
    code: str | None = Field(None, examples=["too_old"])
    detail: str | None = Field(None, examples=["The event is older than what is kept."])
    warnings: list[str] = Field([], examples=[["naive_timestamp"]])


class ReplayReport(BaseModel):
    """`selected = replayed + duplicates + quarantined + erased + skipped`, always."""

    dry_run: bool
    selected: int = Field(examples=[120])
    replayed: int = Field(description="Stored and counted now.", examples=[118])
    unattributed: int = Field(
        description="Of those, how many wait for their account.", examples=[0]
    )
    duplicates: int = Field(description="Had been stored in the meantime.", examples=[1])
    quarantined: int = Field(description="Still cannot be used; they stay open.", examples=[1])
    erased: int = Field(description="Of people or accounts erased since.", examples=[0])
    skipped: int = Field(description="Not open any more, or cut to 64 KiB.", examples=[0])
    more: bool = Field(description="Whether more fit the filter: call again.")
    results: Sequence[ReplayResult] = Field(description="The first 100.")


class DiscardReport(BaseModel):
    selected: int = Field(examples=[12])
    discarded: int = Field(examples=[12])
    skipped: int = Field(description="Were not open any more.", examples=[0])
    more: bool = Field(description="Whether more fit the filter: call again.")
