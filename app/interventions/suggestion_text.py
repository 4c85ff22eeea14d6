"""The texts of a suggestion in each language, rendered with the account's own values. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from app.core.filters.parser import DAY_PATTERN
from app.core.languages import Language
from app.interventions.playbooks.definition import DEFAULT_MESSAGE, Playbook, PlaybookTexts
from app.interventions.playbooks.templates import FieldValue, Money, render_template
from app.signals.sentences import amounts, limit_title
from app.signals.signal import Signal

FEATURE_FIELDS = ("feature", "product_feature")
PERSONAL_FIELDS = ("user_id", "user_ids")
"""Evidence that names people: it is neither stored with a suggestion nor sent."""


def compose_details(
    playbook: Playbook,
    driver: Signal,
    account_values: Mapping[str, FieldValue | Money],
    names: Mapping[str, str],
) -> dict[str, Any]:
    """Return everything of a suggestion that depends on the account, JSON-ready.

    ``names``: product feature key to its name.
    """
    evidence_values = dict(_evidence_values(driver.evidence, account_values, names))
    values = {**account_values, **evidence_values}
    first_language = next(iter(playbook.texts))
    return {
        "severity": driver.severity,
        "since": driver.since.isoformat(),
        "evidence": public_evidence(driver),
        "texts": {
            language.value: _texts(
                playbook,
                texts,
                driver.name,
                {**values, **_titles(driver, names, language)},
                language,
            )
            for language, texts in playbook.texts.items()
        },
        "link": render_template(playbook.link, values, first_language) if playbook.link else None,
        "faq": render_template(playbook.faq, values, first_language) if playbook.faq else None,
        "owner_role": playbook.owner_role,
        "channel": playbook.channel,
    }


def _titles(
    driver: Signal, names: Mapping[str, str], language: Language
) -> Mapping[str, FieldValue | Money]:
    """Return the evidence that has words of the language: what limits count, numbers with units."""
    limit = driver.evidence.get("limit_name")
    titles = {"limit_name": limit_title(limit, names, language)} if limit else {}
    return titles | amounts(driver, language)


def public_evidence(driver: Signal) -> dict[str, Any]:
    return {name: value for name, value in driver.evidence.items() if name not in PERSONAL_FIELDS}


def _texts(
    playbook: Playbook,
    texts: PlaybookTexts,
    signal: str,
    values: Mapping[str, FieldValue | Money],
    language: Language,
) -> dict[str, str]:
    gets, step = _message(texts, signal, values, language)
    space = "" if language is Language.ZH else " "
    promising = space.join([gets, *_promises(playbook, values, language)])
    return {
        "name": texts.name,
        "next_step": render_template(texts.next_step, values, language) or "",
        "message": f"{promising}\n\n{step}",
    }


def _promises(
    playbook: Playbook, values: Mapping[str, FieldValue | Money], language: Language
) -> Iterator[str]:
    """Yield the promises that the workspace makes in the language, if all their values are known.

    Other promises are left out.
    """
    for name in playbook.slots:
        sentence = playbook.promises.get(name, {}).get(language)
        rendered = sentence and render_template(sentence, values, language)
        if rendered:
            yield rendered


def _message(
    texts: PlaybookTexts, signal: str, values: Mapping[str, FieldValue | Money], language: Language
) -> tuple[str, str]:
    """Render what the account gets and its step, for the signal.

    The default message is used if one of the values is unknown.
    """
    for name in (signal, DEFAULT_MESSAGE):
        message = texts.messages.get(name)
        if message is None:
            continue
        gets = render_template(message.gets, values, language)
        step = render_template(message.step, values, language)
        if gets is not None and step is not None:
            return gets, step
    raise AssertionError("The default message cannot be rendered: it may use only {{ account }}.")


def _evidence_values(
    evidence: Mapping[str, Any],
    account_values: Mapping[str, FieldValue | Money],
    names: Mapping[str, str],
) -> Iterator[tuple[str, FieldValue | Money]]:
    """Convert evidence from JSON: days, money, shares, and the names of product features."""
    price = account_values.get("price")
    billing_currency = price.currency if isinstance(price, Money) else None
    for name, value in evidence.items():
        match value:
            case int() | float() if name.endswith("_cents"):
                currency = evidence.get("currency", billing_currency)
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
    """Return the texts in a language, or else in the first language that exists."""
    chosen: Mapping[str, Any] = texts.get(language) or next(iter(texts.values()), {})
    return chosen
