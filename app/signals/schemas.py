"""Signals and signal settings in the API."""

from datetime import date, datetime
from typing import Self

from pydantic import Field

from app.core.languages import Language
from app.core.schemas import JsonObject, ResponseModel
from app.signals.config import SignalConfig
from app.signals.sentences import signal_sentence
from app.signals.signal import EvidenceNames, Severity, Signal
from app.signals.tables import AccountSignal, SignalSettings


class SignalOut(ResponseModel):
    """An open or cleared signal of an account."""

    id: int = Field(examples=[12])
    account_id: str = Field(examples=["acme"])
    signal: str = Field(examples=["champion_inactive"])
    key: str = Field(
        description="Distinguishes signals of one name: the product feature, step, ticket or goal. "
        "Often empty.",
        examples=[""],
    )
    severity: Severity
    since: date = Field(
        description="The day since which the condition is true.", examples=["2026-03-01"]
    )
    sentence: str = Field(examples=["Nobody has used the product for 21 days, since 2026-03-01."])
    evidence: JsonObject = Field(
        description="The numbers and days that show the condition.", examples=[{"days": 21}]
    )
    opened_at: datetime = Field(description="When the signal was first detected.")
    changed_at: datetime = Field(description="When its severity or evidence last changed.")
    cleared_at: datetime | None = Field(description="Null while the signal is open.")

    @classmethod
    def of(cls, row: AccountSignal, language: Language, names: EvidenceNames) -> Self:
        signal = Signal(row.signal, Severity(row.severity), row.since, row.evidence, row.key)
        return cls.from_row(row, sentence=signal_sentence(signal, language, names))


class SignalSettingsOut(SignalConfig):
    """The signal settings of the workspace."""

    changed_at: datetime | None = Field(description="Null where the defaults apply.")
    changed_by: str | None = Field(description="The API key that changed the settings.")

    @classmethod
    def of(cls, config: SignalConfig, row: SignalSettings | None) -> Self:
        return cls(
            **config.model_dump(),
            changed_at=row.changed_at if row else None,
            changed_by=row.changed_by if row else None,
        )
