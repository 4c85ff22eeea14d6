"""The full definition of a score: scorecard, offer and feature spec under one hash. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Self

import orjson

from app.core.months import RENEWAL_GRACE_DAYS
from app.features.values import EventCount, FeatureMap, FeatureSpec, ReachSource
from app.health.definition.entitlement import Offer
from app.health.definition.scorecard import Scorecard


@dataclass(frozen=True)
class Definition:
    """All settings that a score depends on.

    ``configured``: whether the workspace has named its product features.
    """

    version: int
    scorecard: Scorecard
    offer: Offer
    spec: FeatureSpec
    configured: bool

    @cached_property
    def ranking_digest(self) -> str:
        """Hash of the settings that ranks depend on. Another digest needs another benchmark."""
        card, offer, spec = self.scorecard, self.offer, self.spec
        ranked = {key: card.sources[key].model_dump() for key in card.ranked}
        return _digest(
            (
                *(card.window_days, card.price_exponent, ranked, offer.weights, offer.plans),
                *(spec.product.events, spec.reach.kind, spec.reach.events, spec.base_currency),
                *_unusual_grace(spec).values(),
            )
        )

    @cached_property
    def digest(self) -> str:
        """Hash of all settings: the key of the stored definition."""
        return _digest(self.to_json())

    def with_default_features(self, names: Sequence[str]) -> Self:
        """Return a definition that uses event names as product features, each with weight 1."""
        offer = replace(self.offer, weights=dict.fromkeys(names, 1.0))
        product = FeatureMap([(name, name) for name in names])
        return replace(self, offer=offer, spec=replace(self.spec, product=product))

    def to_json(self) -> dict[str, Any]:
        lens = asdict(self.spec)
        del lens["notice_days"]  # no score depends on it: another one keeps the digest
        del lens["grace_days"]
        return {
            "version": self.version,
            "scorecard": self.scorecard.model_dump(mode="json"),
            "offer": asdict(self.offer),
            "lens": lens | _unusual_grace(self.spec),
            "configured": self.configured,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        lens = stored["lens"]
        parsed = {
            "product": FeatureMap([(name, key) for name, key in lens["product"]["events"]]),
            "reach": ReachSource(**lens["reach"]),
            "traits": tuple(lens["traits"]),
            "counts": tuple(EventCount(tuple(x["events"]), x["days"]) for x in lens["counts"]),
            "signals": tuple(lens.get("signals", ())),
        }
        scorecard = Scorecard.model_validate(stored["scorecard"])
        spec = FeatureSpec(**{**lens, **parsed})
        return cls(
            stored["version"], scorecard, Offer(**stored["offer"]), spec, stored["configured"]
        )


def _unusual_grace(spec: FeatureSpec) -> dict[str, int]:
    """Return the grace of renewals unless it is the default, which keeps older digests."""
    return {} if spec.grace_days == RENEWAL_GRACE_DAYS else {"grace_days": spec.grace_days}


def _digest(content: object) -> str:
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=8).hexdigest()
