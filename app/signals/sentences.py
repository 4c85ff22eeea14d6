"""One sentence for each signal; the texts are in ``sentences.*.ftl``. Pure."""

from collections.abc import Mapping
from typing import Any

from app.core.catalogue import Catalogue, Number, load_catalogue
from app.core.languages import Language
from app.core.number_format import format_money, format_number
from app.signals.signal import EvidenceNames, Signal

FEATURE_FIELDS = ("feature", "product_feature")
AMOUNT_FIELDS = ("value", "baseline", "target", "threshold", "missing")
NO_NAMES = EvidenceNames()


def signal_sentence(signal: Signal, language: Language, names: EvidenceNames = NO_NAMES) -> str:
    """Return the sentence of a signal, with its numbers formatted for reading.

    A person without a name in ``names`` is not named: ids of people are no names.
    """
    texts = load_catalogue(__file__, language)
    values = {name: _format(name, value, texts) for name, value in signal.evidence.items()}
    values |= amounts(signal, language)
    for name in FEATURE_FIELDS:
        if name in values:
            values[name] = names.features.get(values[name], values[name])
    if "limit_name" in values:
        values["limit_name"] = limit_title(values["limit_name"], names.features, language)
    reason = f"reason_{signal.evidence.get('end_reason')}"
    if reason in texts:
        values["end_reason"] = texts.format(reason)
    values["user_name"] = names.users.get(signal.evidence.get("user_id", ""))
    return texts.format(signal.name, **values, since=signal.since)


def amounts(signal: Signal, language: Language) -> dict[str, str]:
    """Return the evidence that is a number of a metric, of goals and tiers, with its unit."""
    evidence = signal.evidence
    metric, currency = evidence.get("metric"), evidence.get("currency")
    if metric is None:
        return {}
    return {
        name: format_amount(metric, evidence[name], currency, language)
        for name in AMOUNT_FIELDS
        if name in evidence
    }


def format_amount(metric: str, value: float, currency: str | None, language: Language) -> str:
    """Return a number of a metric with its unit; that of a trait is unknown.

    ``currency``: None if it is unknown; then a price has no unit.
    """
    texts = load_catalogue(__file__, language)
    return texts.format(f"amount_{metric}", number=Number(value), currency=currency)


def limit_title(limit: str, features: Mapping[str, str], language: Language) -> str:
    """Return what a limit of a plan counts: people, end customers, or events of a feature."""
    texts = load_catalogue(__file__, language)
    if f"limit_{limit}" in texts:
        return texts.format(f"limit_{limit}")
    return texts.format("limit_of_feature", feature=features.get(limit, limit))


def _format(name: str, value: Any, texts: Catalogue) -> Any:  # noqa: ANN401 - any evidence
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if name.endswith("_cents"):
        return format_money(value)
    if name == "share" or name.endswith("_share"):
        return texts.format("percent", number=format_number(round(100 * value)))
    return value
