"""What accounts are held against: scorecard, offer and benchmark, built where there is none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import blake2b

import orjson
from sqlalchemy.orm import Session

from app.accounts.queries import plans, product_features
from app.features.queries import account_features, default_product_features
from app.features.values import AccountFeatures, FeatureMap, Lens, ReachSource
from app.health import queries
from app.health.assess import Yardstick, fit_benchmarks, month_ends, poolable
from app.health.benchmark import Benchmark, Normalizer
from app.health.entitlement import Offer
from app.health.scorecard import Scorecard
from app.workspaces.tables import Workspace


@dataclass(frozen=True, slots=True)
class Definition:
    """What the measures of a workspace mean. Another meaning needs another benchmark."""

    card: Scorecard
    offer: Offer
    lens: Lens

    @property
    def configured(self) -> bool:
        """Whether somebody has said what the product features are."""
        return bool(self.offer.weights)

    @property
    def digest(self) -> str:
        content = (
            self.card.to_json(),
            self.offer.weights,
            self.offer.plans,
            self.lens.product.events,
            self.lens.reach.kind,
            self.lens.reach.events,
            self.lens.base_currency,
        )
        text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        return blake2b(text, digest_size=8).hexdigest()

    def with_default_features(self, names: Sequence[str]) -> "Definition":
        """Take event names as product features, each of weight 1."""
        offer = Offer(dict.fromkeys(names, 1.0), self.offer.plans)
        product = FeatureMap([(name, name) for name in names])
        return replace(self, offer=offer, lens=replace(self.lens, product=product))


def current(
    session: Session, workspace: Workspace, *, as_of: date, now: datetime
) -> tuple[Yardstick, Lens]:
    """Load what holds for a day, and how features are to be taken for it."""
    said = _definition(session, workspace)
    month = as_of.replace(day=1)
    benchmarks = _stored(session, workspace.id, month, said, now)
    if not benchmarks:
        queries.lock_benchmarks(session, workspace.id)
        benchmarks = _stored(session, workspace.id, month, said, now)
    if not benchmarks:
        benchmarks = _build(session, workspace.id, said, as_of=as_of, now=now)
    used = said if said.configured else said.with_default_features(benchmarks[""].product_features)
    yardstick = Yardstick(
        used.card, used.offer, benchmarks, month, features_configured=said.configured
    )
    return yardstick, used.lens


def _definition(session: Session, workspace: Workspace) -> Definition:
    stored = queries.scorecard(session, workspace.id)
    card = Scorecard.from_json(stored.config) if stored else Scorecard()
    features = product_features(session, workspace.id)
    offer = Offer(
        {feature.key: feature.weight for feature in features},
        {plan.key: plan.product_features for plan in plans(session, workspace.id)},
    )
    lens = Lens(
        FeatureMap([(name, feature.key) for feature in features for name in feature.event_names]),
        ReachSource(workspace.reach, workspace.reach_events),
        workspace.base_currency,
        card.window_days,
    )
    return Definition(card, offer, lens)


def _stored(
    session: Session, workspace_id: str, month: date, said: Definition, now: datetime
) -> dict[str, Benchmark]:
    rows = queries.benchmarks(session, workspace_id, month=month, definition=said.digest, now=now)
    return {row.segment: Benchmark.from_json(row.config) for row in rows}


def _build(
    session: Session, workspace_id: str, said: Definition, *, as_of: date, now: datetime
) -> dict[str, Benchmark]:
    """Fit to the last six month-ends; where they are empty, provisionally to the day itself."""
    names: tuple[str, ...] = ()
    used = said
    if not said.configured:
        names = _default_names(session, workspace_id, said.card, as_of)
        used = said.with_default_features(names)
    ends = month_ends(as_of)
    rows = _pool(session, workspace_id, used.lens, ends)
    of_today = not rows
    if of_today:
        everyone = _everyone(session, workspace_id, used.lens, as_of)
        rows = poolable(everyone, as_of) or [a for a in everyone if not a.excluded]
    fitted = fit_benchmarks(rows, used.card, used.offer, names)
    queries.put_benchmarks(
        session,
        workspace_id,
        fitted,
        month=as_of.replace(day=1),
        definition=said.digest,
        provisional=of_today or fitted[""].normalizer is Normalizer.SHARE,
        now=now,
    )
    return fitted


def _default_names(
    session: Session, workspace_id: str, card: Scorecard, as_of: date
) -> tuple[str, ...]:
    """Take the last month-end's habits, or the day's where nothing had happened by then."""
    for day in (month_ends(as_of)[0], as_of):
        names = default_product_features(
            session, workspace_id, as_of=day, window_days=card.window_days
        )
        if names:
            return names
    return ()


def _pool(
    session: Session, workspace_id: str, lens: Lens, days: Sequence[date]
) -> list[AccountFeatures]:
    return [
        account
        for day in days
        for account in poolable(_everyone(session, workspace_id, lens, day), day)
    ]


def _everyone(session: Session, workspace_id: str, lens: Lens, day: date) -> list[AccountFeatures]:
    ids = queries.account_ids(session, workspace_id)
    return account_features(session, workspace_id, ids, as_of=day, lens=lens)
