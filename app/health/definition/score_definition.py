"""What a score means: scorecard, offer and lens, kept under a hash so that it can be looked up."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Self

import orjson

from app.features.values import EventCount, FeatureMap, FeatureSpec, ReachSource
from app.health.definition.entitlement import Offer
from app.health.definition.scorecard import Scorecard


@dataclass(frozen=True)
class Definition:
    """``configured``: whether somebody has said what the product features are."""

    version: int
    scorecard: Scorecard
    offer: Offer
    lens: FeatureSpec
    configured: bool

    @cached_property
    def meaning(self) -> str:
        """Hash what ranks depend on: another meaning needs another benchmark."""
        card = self.scorecard
        ranked = {key: card.sources[key].model_dump() for key in card.ranked}
        return _digest(
            (
                card.window_days,
                card.price_exponent,
                ranked,
                self.offer.weights,
                self.offer.plans,
                self.lens.product.events,
                self.lens.reach.kind,
                self.lens.reach.events,
                self.lens.base_currency,
            )
        )

    @cached_property
    def digest(self) -> str:
        return _digest(self.to_json())

    def with_default_features(self, names: Sequence[str]) -> Self:
        """Take event names as product features, each of weight 1."""
        offer = replace(self.offer, weights=dict.fromkeys(names, 1.0))
        product = FeatureMap([(name, name) for name in names])
        return replace(self, offer=offer, lens=replace(self.lens, product=product))

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "scorecard": self.scorecard.model_dump(mode="json"),
            "offer": asdict(self.offer),
            "lens": asdict(self.lens),
            "configured": self.configured,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        lens = dict(stored["lens"])
        product = [(name, feature) for name, feature in lens.pop("product")["events"]]
        reach = ReachSource(**lens.pop("reach"))
        traits, signals = tuple(lens.pop("traits")), tuple(lens.pop("signals", ()))
        counts = [EventCount(tuple(count["events"]), count["days"]) for count in lens.pop("counts")]
        return cls(
            stored["version"],
            Scorecard.model_validate(stored["scorecard"]),
            Offer(**stored["offer"]),
            FeatureSpec(
                **lens,
                product=FeatureMap(product),
                reach=reach,
                traits=traits,
                counts=tuple(counts),
                signals=signals,
            ),
            stored["configured"],
        )


def _digest(content: object) -> str:
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=8).hexdigest()
