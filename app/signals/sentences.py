"""One sentence for each signal; the texts are in ``sentences.*.ftl``. Pure."""

from typing import Any

from app.core.catalogue import load_catalogue
from app.core.languages import Language
from app.core.number_format import format_money, format_number
from app.signals.signal import Signal


def signal_sentence(signal: Signal, language: Language) -> str:
    """Return the sentence of a signal, with its numbers formatted for reading."""
    values = {name: _format(name, value) for name, value in signal.evidence.items()}
    values["since"] = signal.since
    return load_catalogue(__file__, language).format(signal.name, **values)


def _format(name: str, value: Any) -> Any:  # noqa: ANN401 - any evidence
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if name.endswith("_cents"):
        return format_money(value)
    if name == "share" or name.endswith("_share"):
        return f"{format_number(round(100 * value))} %"
    return value
