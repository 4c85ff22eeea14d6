"""What an account may use of the product, and how much of that it has adopted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.features.values import AccountFeatures


@dataclass(frozen=True)
class Offer:
    """The product on offer: the weight of each product feature, and what each plan includes."""

    weights: Mapping[str, float]
    plans: Mapping[str, Sequence[str]]

    @cached_property
    def everything(self) -> frozenset[str]:
        return frozenset(self.weights)

    @cached_property
    def included(self) -> Mapping[str, frozenset[str]]:
        return {
            plan: self.everything.intersection(features) or self.everything
            for plan, features in self.plans.items()
        }

    def entitled(self, account: AccountFeatures) -> frozenset[str]:
        """An unknown plan, or one that names no features, includes every one."""
        features = self.included.get(account.plan or "", self.everything)
        if not account.feature_exceptions:
            return features
        granted = {key for key, has in account.feature_exceptions.items() if has}
        denied = {key for key, has in account.feature_exceptions.items() if not has}
        return (features | (granted & self.everything)) - denied

    def weight(self, features: frozenset[str]) -> float:
        """Sum in a fixed order, so that the same features weigh the same to the last digit."""
        return sum(self.weights[key] for key in sorted(features))


@dataclass(frozen=True, slots=True)
class Breadth:
    """Weights of the entitled product features: adopted, adopted before, all; and the unused."""

    now: float
    before: float
    entitled: float
    unused: tuple[str, ...]


def breadth(offer: Offer, account: AccountFeatures) -> Breadth:
    entitled = offer.entitled(account)
    adopted = entitled.intersection(account.adopted)
    return Breadth(
        offer.weight(adopted),
        offer.weight(entitled.intersection(account.adopted_before)),
        offer.weight(entitled),
        tuple(sorted(entitled - adopted)),
    )
