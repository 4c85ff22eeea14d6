"""Why an account needs something, in one sentence; the texts are in ``sentences.*.ftl``. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.core.catalogue import load_catalogue
from app.core.languages import Language
from app.signals.sentences import signal_sentence
from app.signals.signal import EvidenceNames, Severity, Signal

Facts = Mapping[str, Sequence[Mapping[str, Any]]]
"""What is known of one account by kind, as ``queries.sql:facts`` returns it."""


def why_sentence(facts: Facts, features: Mapping[str, str], language: Language) -> str:
    """Return the most severe signal; without one the alert, the breach, the task or the step."""
    if signals := facts.get("signal"):
        return _signal(signals[0], features, language)
    texts = load_catalogue(__file__, language)
    if alerts := facts.get("alert"):
        return texts.format("alert", rule=alerts[0]["name"], day=alerts[0]["opened_at"][:10])
    if pending := facts.get("pending"):
        return texts.format("pending", rule=pending[0]["name"])
    if tasks := facts.get("task"):
        return texts.format("task", title=tasks[0]["title"], day=tasks[0]["due_on"])
    return texts.format("suggestion")


def _signal(stored: Mapping[str, Any], features: Mapping[str, str], language: Language) -> str:
    signal = Signal(
        stored["signal"],
        Severity(stored["severity"]),
        date.fromisoformat(stored["since"]),
        stored["evidence"],
        stored["key"],
    )
    name = stored["user_name"]
    users = {signal.evidence["user_id"]: name} if name else {}
    return signal_sentence(signal, language, EvidenceNames(features, users))
