"""One sentence for each condition that goes with churn; texts in ``sentences.*.ftl``."""

from app.core.catalogue import load_catalogue
from app.core.languages import Language
from app.reports.churn_causes.association import Association
from app.reports.churn_causes.schemas import FindingKind
from app.signals.detect import SIGNALS


def signal_title(signal: str, language: Language) -> str:
    """Return the name of a signal in words; of a signal that no longer exists, its key."""
    if signal not in SIGNALS:
        return signal.replace("_", " ").capitalize()
    return load_catalogue(__file__, language).format(f"signal_{signal}")


def finding_sentence(
    kind: FindingKind, name: str, association: Association, language: Language
) -> str:
    """Write "goes with" only, because an association need not be cause and effect."""
    text = load_catalogue(__file__, language)
    subject = text.format(f"subject_{kind}", name=name)
    if association.lift is None or association.low is None:
        return text.format(association.reason or "too_few_left", subject=subject)
    values = {
        "subject": subject,
        "lift": f"{association.lift:.1f}",
        "low": f"{association.low:.1f}",
    }
    if association.high is None:
        return text.format("goes_with_open", **values)
    return text.format("goes_with", **values, high=f"{association.high:.1f}")
