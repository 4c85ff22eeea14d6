"""What a suggestion says, in each language, filled with the account's own numbers. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from app.core.filters.parser import DAY_PATTERN
from app.health.explanations.catalogue import Language
from app.interventions.playbooks.definition import DEFAULT_MESSAGE, Playbook, PlaybookTexts
from app.interventions.playbooks.templates import FieldValue, Money, render_template
from app.signals.signal import Signal

FEATURE_FIELDS = ("feature", "product_feature")
PERSONAL_FIELDS = ("user_id", "user_ids")
"""What is stored and sent of a signal names nobody: the signal itself does."""


def compose_details(
    playbook: Playbook,
    driver: Signal,
    facts: Mapping[str, FieldValue | Money],
    names: Mapping[str, str],
) -> dict[str, Any]:
    """Write all that depends on the account; JSON-ready. ``names``: of product features."""
    known = {**facts, **dict(_facts(driver.evidence, facts, names))}
    some = next(iter(playbook.texts))
    return {
        "severity": driver.severity,
        "since": driver.since.isoformat(),
        "evidence": public_evidence(driver),
        "texts": {
            language.value: _texts(texts, driver.name, known, language)
            for language, texts in playbook.texts.items()
        },
        "link": render_template(playbook.link, known, some) if playbook.link else None,
        "faq": render_template(playbook.faq, known, some) if playbook.faq else None,
        "owner_role": playbook.owner_role,
        "channel": playbook.channel,
    }


def public_evidence(driver: Signal) -> dict[str, Any]:
    return {name: value for name, value in driver.evidence.items() if name not in PERSONAL_FIELDS}


def _texts(
    texts: PlaybookTexts, signal: str, known: Mapping[str, FieldValue | Money], language: Language
) -> dict[str, str]:
    return {
        "name": texts.name,
        "next_step": render_template(texts.next_step, known, language) or "",
        "message": _message(texts, signal, known, language),
    }


def _message(
    texts: PlaybookTexts, signal: str, known: Mapping[str, FieldValue | Money], language: Language
) -> str:
    """Say what is made for the signal, or what can be said to all where a number is not known."""
    for name in (signal, DEFAULT_MESSAGE):
        message = texts.messages.get(name)
        parts = message and [
            render_template(part, known, language) for part in (message.gets, message.step)
        ]
        if parts and None not in parts:
            return "\n\n".join(part for part in parts if part)
    raise AssertionError("the default needs nothing but the account's name")


def _facts(
    evidence: Mapping[str, Any], known: Mapping[str, FieldValue | Money], names: Mapping[str, str]
) -> Iterator[tuple[str, FieldValue | Money]]:
    """Read what JSON cannot say: days, money, shares; call product features by their names."""
    price = known.get("price")
    billed_in = price.currency if isinstance(price, Money) else None
    for name, value in evidence.items():
        match value:
            case int() | float() if name.endswith("_cents"):
                currency = evidence.get("currency", billed_in)
                if currency:
                    yield name, Money(value, currency)
            case int() | float() if name.endswith("_share"):
                yield name, f"{value:.0%}"
            case str() if DAY_PATTERN.fullmatch(value):
                yield name, date.fromisoformat(value)
            case str() if name in FEATURE_FIELDS:
                yield name, names.get(value, value)
            case list():
                yield name, ", ".join(map(str, value))
            case int() | float() | str():
                yield name, value


def texts_in(texts: Mapping[str, Any], language: Language) -> Mapping[str, Any]:
    """Take a language, or one that there is."""
    found: Mapping[str, Any] = texts.get(language) or next(iter(texts.values()), {})
    return found
