from datetime import date, datetime
from typing import Self

from pydantic import Field

from app.core.languages import Language
from app.core.schemas import JsonObject, ResponseModel
from app.signals.config import SignalConfig
from app.signals.sentences import signal_sentence
from app.signals.signal import Severity, Signal
from app.signals.tables import AccountSignal, SignalSettings


class SignalOut(ResponseModel):
    """A condition that holds, or held, for an account."""

    id: int = Field(examples=[12])
    account_id: str = Field(examples=["acme"])
    signal: str = Field(examples=["champion_inactive"])
    key: str = Field(
        description="Tells several of one name apart: a product feature, a step.", examples=[""]
    )
    severity: Severity
    since: date
    sentence: str = Field(examples=["ada, the most active user, has been silent for 21 days."])
    evidence: JsonObject = Field(
        description="Numbers and days, as docs/signals.md says.", examples=[{"days": 21}]
    )
    opened_at: datetime = Field(description="When it was first seen.")
    changed_at: datetime
    cleared_at: datetime | None = Field(description="Null: it still holds.")

    @classmethod
    def of(cls, row: AccountSignal, language: Language) -> Self:
        said = Signal(row.signal, Severity(row.severity), row.since, row.evidence, row.key)
        known = {name: getattr(row, name) for name in cls.model_fields if name != "sentence"}
        return cls(sentence=signal_sentence(said, language), **known)


class SignalSettingsOut(SignalConfig):
    changed_at: datetime | None = Field(description="Null: these are the defaults.")
    changed_by: str | None

    @classmethod
    def of(cls, config: SignalConfig, row: SignalSettings | None) -> Self:
        return cls(
            **config.model_dump(),
            changed_at=row.changed_at if row else None,
            changed_by=row.changed_by if row else None,
        )
