"""The format of a playbook: signals, audience, next step, texts, cost and success. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, Strict, model_validator

from app.core.filters.parser import FilterError, parse_filter
from app.core.languages import ByLanguage
from app.health.definition.measures import NO_NUL, ConfigModel
from app.health.definition.scorecard import Band
from app.interventions.playbooks.template_fields import ACCOUNT_FIELDS, SIGNAL_FIELDS
from app.interventions.playbooks.templates import TemplateError, check_template
from app.portfolio.fields import CHOICES, FIELDS
from app.signals.signal import Signal

DEFAULT_MESSAGE = "default"
ALWAYS_KNOWN = frozenset({"account"})
"""The only placeholders of a next step and of the default message: both must always render."""

SIGNAL_CLEARED, RETAINED, HEALTH_SCORE = "signal_cleared", "retained", "health_score"
"""Success criteria that are not the name of a measure."""

TextLine = Annotated[str, Field(min_length=1, max_length=1000, pattern=NO_NUL)]
PlaybookKey = Annotated[
    str, Field(pattern="^[a-z0-9][a-z0-9_]{0,63}$", examples=["unblock_onboarding"])
]
PromiseName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_]{0,63}$", examples=["direct_number"])]
PromiseSentence = Annotated[TextLine, Field(examples=["You reach us at +1 555 0100."])]
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


class CustomerType(StrEnum):
    """A consumer if the trait ``customer_type`` is ``b2c``, else a company."""

    B2B = "b2b"
    B2C = "b2c"


class LifecycleStage(StrEnum):
    """``new``: scored as new. ``dormant``: has this signal. ``churned``: paid before, not now."""

    NEW = "new"
    ACTIVE = "active"
    DORMANT = "dormant"
    CHURNED = "churned"


class PlaybookAudience(ConfigModel):
    """The accounts that a playbook is for: they must meet every condition."""

    business: list[CustomerType] = Field(list(CustomerType), min_length=1)
    lifecycle: list[LifecycleStage] = Field(
        [LifecycleStage.NEW, LifecycleStage.ACTIVE], min_length=1
    )
    bands: list[Band] = Field(list(Band), min_length=1)
    filter: dict[str, JsonValue] = Field(
        {}, description="Filter of accounts (docs/lists.md).", examples=[{"segment": "smb"}]
    )


class SuccessCriterion(ConfigModel):
    """What counts as a success: a cleared signal, a retained account, or a rise of a score."""

    measure: str = Field(
        description="`signal_cleared`, `retained`, `health_score` or the name of a measure.",
        max_length=200,
        pattern=NO_NUL,
        examples=["signal_cleared"],
    )
    least: Annotated[float, Strict()] = Field(
        5, description="The least rise in points, for a score.", gt=0, le=100
    )


class PlaybookMessage(ConfigModel):
    """A message to the account: what it gets, and one next step."""

    gets: TextLine = Field(
        examples=["Your import can be done in one go: {{ account }} sends a file."]
    )
    step: TextLine = Field(examples=["Reply with the file and it is imported today."])


class PlaybookTexts(ConfigModel):
    """The texts of a playbook in a language. ``messages``: by signal; ``default``: if none fits."""

    name: TextLine = Field(examples=["Unblock the onboarding"])
    next_step: TextLine = Field(
        description="What the owner does, in one sentence.",
        examples=["Open the step with {{ account }} and finish it together."],
    )
    messages: dict[str, PlaybookMessage] = Field(
        examples=[{"default": {"gets": "...", "step": "..."}}]
    )


class Playbook(ConfigModel):
    """An action that can be suggested. ``also``: if given, one of these must be open too.

    ``slots``: what the messages may promise, once the workspace has said so in ``promises``.
    """

    signals: list[SignalName] = Field(min_length=1, max_length=40)
    also: list[SignalName] = Field([], max_length=40)
    audience: PlaybookAudience = Field(default_factory=PlaybookAudience)
    on_low: Annotated[
        bool,
        Strict(),
        Field(description="Whether a signal of severity `low` is enough."),
    ] = False
    owner_role: TextLine = Field(examples=["customer_success"])
    channel: Literal["email", "call", "in_app", "meeting", "post"]
    cooldown_days: Annotated[int, Strict()] = Field(30, ge=0, le=365)
    cost_cents: Cents = Field(description="The cost of doing it once.", examples=[2500])
    uplift: Annotated[float, Strict()] = Field(
        description="The share of churn that it is assumed to prevent, until measured.",
        ge=0,
        le=1,
        examples=[0.1],
    )
    success: SuccessCriterion
    link: TextLine | None = Field(
        None,
        description="The address for the next step; a template.",
        examples=["https://app.example.com/import"],
    )
    faq: TextLine | None = Field(
        None,
        description="The address of answers to questions; a template.",
        examples=["https://help.example.com/import"],
    )
    texts: ByLanguage[PlaybookTexts] = Field(min_length=1, examples=[EXAMPLE_TEXTS])
    slots: list[PromiseName] = Field(
        [],
        description="Names of promises that a workspace may make in the messages.",
        max_length=20,
        examples=[["direct_number"]],
    )
    promises: dict[PromiseName, ByLanguage[PromiseSentence]] = Field(
        {},
        description="The sentence of each promise by language; a template. A promise without a"
        " sentence is left out of the messages.",
        examples=[{"direct_number": {"en": "You reach us at +1 555 0100."}}],
    )
    enabled: Annotated[bool, Strict()] = True

    @model_validator(mode="after")
    def check_consistency(self) -> Self:
        for field in ("signals", "also"):
            for number, name in enumerate(getattr(self, field)):
                if name not in SIGNAL_FIELDS:
                    raise TemplateError(
                        f"/{field}/{number}", f"There is no signal {name} (docs/signals.md)."
                    )
        try:
            parse_filter(self.audience.filter, FIELDS, choices=CHOICES, relative_days=True)
        except FilterError as error:
            raise FilterError(f"/audience/filter{error.pointer}", str(error)) from None
        for language, texts in self.texts.items():
            self._check_texts(texts, f"/texts/{language}")
        self._check_promises()
        for field in ("link", "faq"):
            check_template(getattr(self, field) or "", self.placeholders, f"/{field}")
        return self

    def _check_promises(self) -> None:
        for name, sentences in self.promises.items():
            at = f"/promises/{name}"
            if name not in self.slots:
                known = ", ".join(self.slots) or "no promise; add it to `slots`"
                raise TemplateError(at, f"{name} is not among the slots: use {known}.")
            for language, sentence in sentences.items():
                check_template(sentence, ACCOUNT_FIELDS, f"{at}/{language}")

    def _check_texts(self, texts: PlaybookTexts, at: str) -> None:
        """Check that each text uses only placeholders that can be known where it is used."""
        check_template(texts.next_step, ALWAYS_KNOWN, f"{at}/next_step")
        if DEFAULT_MESSAGE not in texts.messages:
            raise TemplateError(
                f"{at}/messages", "Add the message `default`: it is for all other signals."
            )
        for signal, message in texts.messages.items():
            where = f"{at}/messages/{signal}"
            if signal not in (DEFAULT_MESSAGE, *self.signals):
                raise TemplateError(
                    where, f"{signal} is not among the signals of this playbook: add it there."
                )
            known = (
                ALWAYS_KNOWN
                if signal == DEFAULT_MESSAGE
                else {*ACCOUNT_FIELDS, *SIGNAL_FIELDS[signal]}
            )
            for part in ("gets", "step"):
                check_template(getattr(message, part), known, f"{where}/{part}")

    @cached_property
    def placeholders(self) -> frozenset[str]:
        """The placeholders that can be known for an account with one of the signals."""
        return frozenset(ACCOUNT_FIELDS).union(*(SIGNAL_FIELDS[name] for name in self.signals))

    @property
    def cooldown(self) -> timedelta:
        return timedelta(days=self.cooldown_days)


Playbooks = Mapping[str, Playbook]


@dataclass(frozen=True, slots=True)
class EligiblePlaybook:
    """A playbook that is eligible for an account, and the signal that it would answer."""

    key: str
    driver: Signal
