"""One sentence for each entry of a timeline; the texts are in ``sentences.*.ftl``. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.core.catalogue import Catalogue, Number, load_catalogue
from app.core.languages import Language
from app.core.number_format import format_money
from app.interventions.suggestion_text import texts_in
from app.reports.timeline.kinds import NOTES, EntryKind
from app.signals.sentences import signal_sentence
from app.signals.signal import EvidenceNames, Severity, Signal

LONGEST_QUOTE = 200
FULL_STOPS = ".\N{IDEOGRAPHIC FULL STOP}"
Fact = Mapping[str, Any]


def entry_sentence(
    kind: EntryKind, event: str, fact: Fact, names: EvidenceNames, language: Language
) -> str:
    """Write what happened in one sentence."""
    texts = load_catalogue(__file__, language)
    message_id = f"{kind}_{event}"
    match kind:
        case EntryKind.SIGNAL:
            sentence = signal_sentence(_signal(fact), language, names)
            return texts.format(message_id, sentence=sentence.rstrip(FULL_STOPS))
        case EntryKind.INTERVENTION:
            title = texts_in(fact["texts"] or {}, language).get("name", fact["playbook"])
            return texts.format(message_id, title=title, reason=_quote(fact["reason"]))
        case EntryKind.PEOPLE:
            return _people(message_id, fact, texts)
        case EntryKind.SUBSCRIPTION | EntryKind.PRICE:
            return texts.format(message_id, **_with_money(fact))
    values = {name: _quote(value) for name, value in fact.items()}
    if kind in NOTES:
        values["text"] = _quote(fact["text"])
    return texts.format(message_id, **values)


def _quote(value: Any) -> Any:  # noqa: ANN401 - any value of a fact
    """Shorten a long text to its beginning, on one line; leave other values as they are."""
    if not isinstance(value, str):
        return value
    line = " ".join(value.split()).rstrip(FULL_STOPS)
    return line if len(line) <= LONGEST_QUOTE else f"{line[: LONGEST_QUOTE - 1]}…"


def _with_money(fact: Fact) -> dict[str, Any]:
    """Format amounts in cents with their currency."""
    values = dict(fact)
    for name in ("cents", "before", "after"):
        if name in fact:
            values[name] = f"{format_money(fact[name])} {fact['currency']}"
    return values


def _people(message_id: str, fact: Fact, texts: Catalogue) -> str:
    """Name people if all names are known and few; else count them."""
    names, count = fact["names"] or [], fact["count"]
    listed = texts.format_list("list", names) if len(names) == count else None
    return texts.format(message_id, count=Number(count), names=listed)


def _signal(fact: Fact) -> Signal:
    since, severity = date.fromisoformat(fact["since"]), Severity(fact["severity"])
    return Signal(fact["signal"], severity, since, fact["evidence"], fact["key"])
