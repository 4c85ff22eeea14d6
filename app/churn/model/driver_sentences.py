"""Drivers of churn risk as sentences; the texts are in the ``.ftl`` files beside. Pure.

The same driver always gives the same sentence. A sentence names what goes with a risk, never a
cause.
"""

import math

from app.churn.model.drivers import COLUMNS_BY_SIGNAL, RiskDriver
from app.churn.model.levels import ModelStage
from app.churn.model.rules_reason import MIN_CHURNED, RulesReason
from app.core.catalogue import Catalogue, load_catalogue
from app.core.languages import Language
from app.core.number_format import format_number
from app.features.table import EVENT_COLUMN_PREFIX

SHARES = {"seat_use", "top_user_share", "onboarding_share", "discount_share"}
LOG_CHANGES = {*COLUMNS_BY_SIGNAL["trend"], "mrr_change_84"}


def driver_sentence(driver: RiskDriver, language: Language) -> str:
    texts, feature = load_catalogue(__file__, language), driver.feature
    name, value = _feature_name(feature, texts), _format(feature, driver.value, texts)
    facts = texts.format("value", name=name, value=value)
    if (before := _format(feature, driver.before, texts)) is not None:
        facts = texts.format("value_before", facts=facts, before=before)
    if (peers := _format(feature, driver.peers, texts)) is not None:
        facts = texts.format("value_of_peers", facts=facts, peers=peers)
    return texts.format("raises_risk" if driver.effect > 0 else "lowers_risk", facts=facts)


def confidence_sentence(
    stage: ModelStage, language: Language, reason: RulesReason | None = None
) -> str:
    """Say how reliable a risk is. ``reason``: why it is by rules, if that is known."""
    texts = load_catalogue(__file__, language)
    if stage is not ModelStage.RULES or reason is None:
        return texts.format(f"stage_{stage}")
    facts = {"churned": reason.churned, "needed": MIN_CHURNED}
    return texts.format("stage_rules", why=texts.format(f"why_{reason.code}", **facts))


def _feature_name(feature: str, texts: Catalogue) -> str:
    if feature.startswith(EVENT_COLUMN_PREFIX):
        return texts.format("events_of_name", event=feature.removeprefix(EVENT_COLUMN_PREFIX))
    return texts.format(f"feature_{feature}")


def _format(feature: str, value: float | None, texts: Catalogue) -> str | None:
    """Format a value for display; None stays None. Shares and logs of changes are in percent."""
    if value is None:
        return None
    if feature in LOG_CHANGES:
        return texts.format("percent", number=format_number(100 * (math.exp(value) - 1), 0))
    if feature == "auto_renews":
        return texts.format("yes" if value >= 0.5 else "no")  # noqa: PLR2004 - of 0 and 1
    if feature in SHARES:
        return texts.format("percent", number=format_number(100 * value))
    return format_number(value)
