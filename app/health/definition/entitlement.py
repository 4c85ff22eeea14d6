"""What an account may use, how much of it is adopted, and what the unused part costs. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from app.features.values import AccountFeatures
from app.signals import inputs as signals
from app.signals.inputs import UnusedPaidFeature


@dataclass(frozen=True)
class Offer:
    """The product on offer: the weight of each product feature and the contents of each plan.

    All other mappings are by plan. ``plans``: included product features. ``price_shares``: share of
    the price by product feature. ``seat_prices``: cents a month per seat. ``limits``: maximum per
    window of ``users``, ``end_customers`` or a product feature's events.
    """

    weights: Mapping[str, float]
    plans: Mapping[str, Sequence[str]]
    price_shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seat_prices: Mapping[str, int | None] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

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
        """Return the product features that an account may use.

        A plan that is unknown or lists no features includes all of them. The account's exceptions
        grant or deny single features.
        """
        features = self.included.get(account.plan or "", self.everything)
        if not account.feature_exceptions:
            return features
        granted = {key for key, has in account.feature_exceptions.items() if has}
        denied = {key for key, has in account.feature_exceptions.items() if not has}
        return (features | (granted & self.everything)) - denied

    def shares(self, account: AccountFeatures) -> Mapping[str, float]:
        """Return the share of the account's price by entitled product feature, in key order.

        The shares add up to at most 1. Features for which the plan names no share divide the
        remaining price by weight.
        """
        entitled, plan = self.entitled(account), account.plan or ""
        if (plan, entitled) not in self._shares:
            self._shares[plan, entitled] = self._divided(plan, entitled)
        return self._shares[plan, entitled]

    @cached_property
    def _shares(self) -> dict[tuple[str, frozenset[str]], Mapping[str, float]]:
        """Results of ``shares`` by plan and entitled features: many accounts have the same plan."""
        return {}

    def _divided(self, plan: str, entitled: frozenset[str]) -> Mapping[str, float]:
        named = self.price_shares.get(plan, {})
        rest = max(0.0, 1 - sum(named.get(key, 0.0) for key in sorted(entitled)))
        unnamed = self.weight(entitled.difference(named))
        return {
            key: named[key] if key in named else rest * self.weights[key] / unnamed
            for key in sorted(entitled)
        }

    def weight(self, features: frozenset[str]) -> float:
        """Sum weights in a fixed order, so that equal sets give equal floats to the last digit."""
        return sum(self.weights[key] for key in sorted(features))


@dataclass(frozen=True, slots=True)
class Breadth:
    """Total weights of entitled product features.

    ``now``: adopted in the window. ``before``: adopted in the window before. ``entitled``: all.
    ``unused``: keys of those that are not adopted, sorted.
    """

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


@dataclass(frozen=True, slots=True)
class Seats:
    """Use of paid seats. ``idle_cents``: what idle seats cost a month; None: price unknown."""

    bought: int
    active: int
    idle: int
    idle_cents: int | None


@dataclass(frozen=True, slots=True)
class OverLimit(signals.OverLimit):
    """Use above a limit of the plan. ``over_share``: 0.25 is 25 % above; None if the limit is 0."""

    over_share: float | None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What an account pays for but does not use, and what it uses above its plan's limits.

    Money is in cents a month. The parts add up to ``value_leak_cents``, which is at most the price:
    0 if nothing is paid, None if the price is unknown.
    """

    value_leak_cents: int | None
    unused: tuple[UnusedPaidFeature, ...]
    seats: Seats | None
    over_limits: tuple[OverLimit, ...]


DIGITS = 4


def evaluate_entitlement(
    offer: Offer, account: AccountFeatures, *, configured: bool = True
) -> Entitlement:
    """Compute what an account pays for without using it.

    An idle seat leaks its whole price. The rest of the price leaks by the share of each product
    feature that is not adopted. ``configured``: whether the workspace has named its product
    features; without them no feature counts as unused.
    """
    price = _price(account)
    seats = _seats(account, offer.seat_prices.get(account.plan or ""), price)
    idle = (seats and seats.idle_cents) or 0
    shares = offer.shares(account) if configured else {}
    adopted = frozenset(account.adopted)
    unused = {key: share for key, share in shares.items() if share > 0 and key not in adopted}
    features = tuple(_unused(unused, None if price is None else price - idle))
    leak = None if price is None else idle + sum(each.cents or 0 for each in features)
    limits = offer.limits.get(account.plan or "", {})
    return Entitlement(leak, features, seats, tuple(_over_limits(account, limits)))


def _price(account: AccountFeatures) -> int | None:
    """Return whole cents, rounded down so that the leak never exceeds the price."""
    if not account.pays:
        return 0
    return None if account.price_cents is None else int(account.price_cents)


def _seats(account: AccountFeatures, seat_price: int | None, price: int | None) -> Seats | None:
    if not account.seats:
        return None
    idle = max(0, account.seats - account.active_users)
    known = seat_price is not None and price is not None
    cents = min(idle * (seat_price or 0), price or 0) if known else None
    return Seats(account.seats, account.active_users, idle, cents)


def _unused(shares: Mapping[str, float], cents: int | None) -> Iterator[UnusedPaidFeature]:
    """Yield each feature with its part of ``cents``, rounded so that the parts add up."""
    total, assigned = 0.0, 0
    for key, share in shares.items():
        total = min(1.0, total + share)
        so_far = 0 if cents is None else round(total * cents)
        part = None if cents is None else so_far - assigned
        yield UnusedPaidFeature(key, round(share, DIGITS), part)
        assigned = so_far


def _over_limits(account: AccountFeatures, limits: Mapping[str, int]) -> Iterator[OverLimit]:
    used = {"users": account.active_users, "end_customers": account.reached}
    for name, limit in sorted(limits.items()):
        count = used.get(name, account.feature_events.get(name, 0))
        if count > limit:
            over = round(count / limit - 1, DIGITS) if limit else None
            yield OverLimit(name, limit, count, over)
