"""What a playbook is: what it answers, for whom, what to do, and how to say it. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, Strict, model_validator

from app.core.filters.matching import FilterError, parse_filter
from app.health.definition.measures import NO_NUL
from app.health.definition.scorecard import Band
from app.health.explanations.catalogue import Language
from app.interventions.playbooks.template_fields import ACCOUNT_FIELDS, SIGNAL_FIELDS
from app.interventions.playbooks.templates import TemplateError, check_template
from app.portfolio.fields import CHOICES, FIELDS

DEFAULT_MESSAGE = "default"
ALWAYS_KNOWN = frozenset({"account"})
"""All that may stand in a next step and in the default message: those can be said of everybody."""

TextLine = Annotated[str, Field(min_length=1, max_length=1000, pattern=NO_NUL)]
PlaybookKey = Annotated[
    str, Field(pattern="^[a-z0-9][a-z0-9_]{0,63}$", examples=["unblock_onboarding"])
]
SignalName = Annotated[str, Field(max_length=64, examples=["onboarding_stuck"])]
Cents = Annotated[int, Strict(), Field(ge=0, le=10**9)]


EXAMPLE_TEXTS: JsonValue = {
    "en": {
        "name": "Invite to the roadmap call",
        "next_step": "Invite {{ account }} to the roadmap call.",
        "messages": {
            "default": {
                "gets": "You see what comes next, and say what matters to you.",
                "step": "Reply with a time that suits you.",
            }
        },
    }
}


class ConfigModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CustomerType(StrEnum):
    """Whom the account is a customer as: the trait ``customer_type`` says ``b2c``, else a firm."""

    B2B = "b2b"
    B2C = "b2c"


class LifecycleStage(StrEnum):
    """``new``: scored as new. ``dormant``: a signal says so. ``churned``: paid once, not now."""

    NEW = "new"
    ACTIVE = "active"
    DORMANT = "dormant"
    CHURNED = "churned"


class PlaybookAudience(ConfigModel):
    """Whom a playbook is for: all that is said must hold."""

    business: list[CustomerType] = Field(list(CustomerType), min_length=1)
    lifecycle: list[LifecycleStage] = Field(
        [LifecycleStage.NEW, LifecycleStage.ACTIVE], min_length=1
    )
    bands: list[Band] = Field(list(Band), min_length=1)
    filter: dict[str, JsonValue] = Field(
        {}, description="A filter over accounts (docs/lists.md).", examples=[{"segment": "smb"}]
    )


class SuccessCriterion(ConfigModel):
    """What tells that it helped: a measure of the score that rose by points, or one of these."""

    measure: str = Field(
        description="`signal_cleared`, `retained`, `health_score` or the name of a measure.",
        max_length=200,
        pattern=NO_NUL,
        examples=["signal_cleared"],
    )
    least: Annotated[float, Strict()] = Field(
        5, description="Points, where it is a score.", gt=0, le=100
    )


class PlaybookMessage(ConfigModel):
    """What is said to the account: what it gets, and one next step."""

    gets: TextLine = Field(
        examples=["Your import can be done in one go: {{ account }} sends a file."]
    )
    step: TextLine = Field(examples=["Reply with the file and it is imported today."])


class PlaybookTexts(ConfigModel):
    """A playbook in one language. ``messages``: by the signal that is answered, or ``default``."""

    name: TextLine = Field(examples=["Unblock the onboarding"])
    next_step: TextLine = Field(
        description="What its owner does, in one sentence.",
        examples=["Open the step with {{ account }} and finish it together."],
    )
    messages: dict[str, PlaybookMessage] = Field(
        examples=[{"default": {"gets": "...", "step": "..."}}]
    )


class Playbook(ConfigModel):
    """What one could do, and when. ``also``: one of these signals must be there as well."""

    signals: list[SignalName] = Field(min_length=1, max_length=40)
    also: list[SignalName] = Field([], max_length=40)
    audience: PlaybookAudience = Field(default_factory=PlaybookAudience)
    on_low: Annotated[
        bool,
        Strict(),
        Field(description="Whether a signal of severity low is reason enough."),
    ] = False
    owner_role: TextLine = Field(examples=["customer_success"])
    channel: Literal["email", "call", "in_app", "meeting", "post"]
    cooldown_days: Annotated[int, Strict()] = Field(30, ge=0, le=365)
    cost_cents: Cents = Field(description="What doing it once costs.", examples=[2500])
    uplift: Annotated[float, Strict()] = Field(
        description="The share of churn that it is supposed to take away, until measured.",
        ge=0,
        le=1,
        examples=[0.1],
    )
    success: SuccessCriterion
    link: TextLine | None = Field(None, description="Where the next step is done; a template.")
    faq: TextLine | None = Field(None, description="Where questions are answered; a template.")
    texts: dict[Language, PlaybookTexts] = Field(min_length=1, examples=[EXAMPLE_TEXTS])
    enabled: Annotated[bool, Strict()] = True

    @model_validator(mode="after")
    def make_sense(self) -> Self:
        for field in ("signals", "also"):
            for number, name in enumerate(getattr(self, field)):
                if name not in SIGNAL_FIELDS:
                    raise TemplateError(f"/{field}/{number}", f"There is no signal {name}.")
        try:
            parse_filter(self.audience.filter, FIELDS, choices=CHOICES, moving_days=True)
        except FilterError as error:
            raise FilterError(f"/audience/filter{error.pointer}", str(error)) from None
        for language, texts in self.texts.items():
            self._check(texts, f"/texts/{language}")
        for field in ("link", "faq"):
            check_template(getattr(self, field) or "", self.known, f"/{field}")
        return self

    def _check(self, texts: PlaybookTexts, at: str) -> None:
        """Hold every text to what can be known where it is used."""
        check_template(texts.next_step, ALWAYS_KNOWN, f"{at}/next_step")
        if DEFAULT_MESSAGE not in texts.messages:
            raise TemplateError(f"{at}/messages", "A message is wanted that is called default.")
        for signal, message in texts.messages.items():
            where = f"{at}/messages/{signal}"
            if signal not in (DEFAULT_MESSAGE, *self.signals):
                raise TemplateError(where, f"This playbook does not answer {signal}.")
            known = (
                ALWAYS_KNOWN
                if signal == DEFAULT_MESSAGE
                else {*ACCOUNT_FIELDS, *SIGNAL_FIELDS[signal]}
            )
            for part in ("gets", "step"):
                check_template(getattr(message, part), known, f"{where}/{part}")

    @cached_property
    def known(self) -> frozenset[str]:
        """What can be said of an account for which one of the signals holds."""
        return frozenset(ACCOUNT_FIELDS).union(*(SIGNAL_FIELDS[name] for name in self.signals))

    @property
    def cooldown(self) -> timedelta:
        return timedelta(days=self.cooldown_days)


Playbooks = Mapping[str, Playbook]
