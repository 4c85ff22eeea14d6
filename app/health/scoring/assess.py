"""From features to assessments: who has a score, what it is, and what it is made of. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import numpy as np

from app.core.filters.matching import matches
from app.features.values import AccountFeatures
from app.health.definition.benchmark import (
    MIN_ACCOUNTS,
    Benchmark,
    Integers,
    Normalizer,
    fit_benchmark,
)
from app.health.definition.entitlement import Breadth, Offer, evaluate_entitlement
from app.health.definition.metrics import AccountFacts
from app.health.definition.scorecard import DEFAULT_CARD, Band, Scorecard
from app.health.scoring.evaluate import (
    AdjustedScores,
    account_facts,
    attribute_value,
    evaluate,
    measure_inputs,
)
from app.health.scoring.measure_details import DIGITS, describe_measures, rounded_values

NEW_DAYS = 28


class HealthStatus(StrEnum):
    OK = "ok"
    NEW = "new"
    INSUFFICIENT_DATA = "insufficient_data"
    STALE = "stale"
    OVERRIDDEN = "overridden"
    CHURNED = "churned"
    EXCLUDED = "excluded"


class PriceStatus(StrEnum):
    """``unpriced``: there is a price, but too few priced accounts to compare it with."""

    PRICED = "priced"
    UNPRICED = "unpriced"
    NO_PRICE = "no_price"
    NO_RATE = "no_rate"


@dataclass(frozen=True, slots=True)
class Assessment:
    """An account's standing as of a day. ``details`` is the rest of the answer, JSON-ready."""

    account_id: str
    score: float | None
    band: Band
    status: HealthStatus
    coverage: float
    mrr_cents: int
    plan: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ScoringContext:
    """What all accounts are held against on one day, and the keys under which that is stored."""

    scorecard: Scorecard
    version: int
    definition: str
    offer: Offer
    benchmarks: Mapping[str, Benchmark]
    benchmark_id: str
    month: date
    base_currency: str
    features_configured: bool

    def benchmark(self, segment: str | None) -> Benchmark:
        """Return the segment's own, else the workspace's (its segment is the empty text)."""
        return self.benchmarks.get(segment or "") or self.benchmarks[""]

    def card(self, account: AccountFeatures) -> str:
        """Name the card of the first rule that the account meets."""
        facts = AccountFacts(account, NO_BREADTH, self.month)
        for rule in self.scorecard.rules:
            if matches(rule.condition, lambda field: attribute_value(facts, field)):
                return rule.name
        return DEFAULT_CARD


NO_BREADTH = Breadth(0, 0, 0, ())


@dataclass(frozen=True, slots=True)
class ScoredGroup:
    """Accounts of one card and one benchmark; everything in it goes by the same row."""

    card: str
    benchmark: Benchmark
    judged: AdjustedScores
    values: Sequence[float | None]
    coverage: Sequence[float]
    unpriced: Sequence[bool]
    measures: Sequence[Sequence[Mapping[str, Any]]]

    @property
    def accounts(self) -> Sequence[AccountFeatures]:
        return [facts.account for facts in self.judged.facts]


def assess_accounts(
    yardstick: ScoringContext, accounts: Sequence[AccountFeatures], as_of: date
) -> list[Assessment]:
    """Judge each account by its own card and its segment's benchmark, in the order given."""
    found = {
        assessment.account_id: assessment
        for group in _groups(yardstick, accounts, as_of)
        for assessment in _assessments(yardstick, group)
    }
    return [found[account.account_id] for account in accounts]


def _groups(
    yardstick: ScoringContext, accounts: Sequence[AccountFeatures], as_of: date
) -> Iterator[ScoredGroup]:
    members: dict[tuple[str, str], list[AccountFeatures]] = {}
    for account in accounts:
        segment = yardstick.benchmark(account.segment).segment
        members.setdefault((yardstick.card(account), segment), []).append(account)
    for (name, segment), some in members.items():
        benchmark, card = yardstick.benchmarks[segment], yardstick.scorecard.cards[name]
        facts = account_facts(yardstick.offer, some, as_of)
        judged = evaluate(card, benchmark, yardstick.scorecard.sources, facts)
        yield ScoredGroup(
            card=name,
            benchmark=benchmark,
            judged=judged,
            values=rounded_values(judged.final),
            coverage=judged.scores.coverage.tolist(),
            unpriced=judged.scores.unpriced.tolist(),
            measures=describe_measures(card, benchmark, judged.scores),
        )


def determine_status(account: AccountFeatures, as_of: date, value: float | None) -> HealthStatus:
    if account.excluded:
        return HealthStatus.EXCLUDED
    if account.churned:
        return HealthStatus.CHURNED
    if is_new(account, as_of):
        return HealthStatus.NEW
    return HealthStatus.INSUFFICIENT_DATA if value is None else HealthStatus.OK


def is_new(account: AccountFeatures, as_of: date) -> bool:
    """Fewer than 28 days since the first paid day or event; nothing at all yet is new too."""
    started_on = account.started_on
    return started_on is None or (as_of - started_on).days < NEW_DAYS


def eligible_peers(accounts: Sequence[AccountFeatures], as_of: date) -> list[AccountFeatures]:
    """Keep those that count as peers on a day: neither new, nor churned, nor excluded."""
    return [a for a in accounts if not (a.excluded or a.churned or is_new(a, as_of))]


def fit_benchmarks(
    pool: Sequence[AccountFacts], scorecard: Scorecard, product_features: tuple[str, ...]
) -> dict[str, Benchmark]:
    """Fit one benchmark for the workspace, and one for each segment with enough accounts.

    If at least 20 accounts pay, those who pay nothing are left out: they are no peers.
    """
    rows = [facts for facts in pool if facts.account.price_cents]
    if len({facts.account.account_id for facts in rows}) < MIN_ACCOUNTS:
        rows = list(pool)
    fitted = {"": _fit(rows, scorecard, segment="", product_features=product_features)}
    for segment in sorted({facts.account.segment for facts in rows if facts.account.segment}):
        members = [facts for facts in rows if facts.account.segment == segment]
        benchmark = _fit(members, scorecard, segment=segment, product_features=product_features)
        if benchmark.normalizer is Normalizer.SEGMENT:
            fitted[segment] = benchmark
    return fitted


def month_ends(month: date, count: int = 6) -> list[date]:
    """Return the last days of the months before one, newest first."""
    ends = []
    first = month.replace(day=1)
    for _ in range(count):
        ends.append(first - timedelta(days=1))
        first = ends[-1].replace(day=1)
    return ends


def _fit(
    rows: Sequence[AccountFacts],
    scorecard: Scorecard,
    *,
    segment: str,
    product_features: tuple[str, ...],
) -> Benchmark:
    laid_out = measure_inputs(rows, scorecard.sources)
    ids = [facts.account.account_id for facts in rows]
    numbers = {key: n for n, key in enumerate(sorted(set(ids)))}
    account: Integers = np.array([numbers[key] for key in ids], dtype=np.int64)
    return fit_benchmark(
        laid_out.now,
        laid_out.price_cents,
        account,
        segment=segment,
        normalizer=Normalizer.SEGMENT if segment else Normalizer.WORKSPACE,
        price_exponent=scorecard.price_exponent,
        product_features=product_features,
        others={
            key: laid_out.others[key].now for key in scorecard.ranked if key in laid_out.others
        },
    )


def _assessments(yardstick: ScoringContext, group: ScoredGroup) -> Iterator[Assessment]:
    card = yardstick.scorecard.cards[group.card]
    for row, facts in enumerate(group.judged.facts):
        account, value = facts.account, group.values[row]
        standing = determine_status(account, facts.as_of, value)
        score = value if standing is HealthStatus.OK else None
        yield Assessment(
            account_id=account.account_id,
            score=score,
            band=card.band(score),
            status=standing,
            coverage=group.coverage[row],
            mrr_cents=account.mrr_cents,
            plan=account.plan,
            details=_details(yardstick, group, row),
        )


def _details(yardstick: ScoringContext, group: ScoredGroup, row: int) -> dict[str, Any]:
    facts = group.judged.facts[row]
    account, price = facts.account, facts.account.price_cents
    card = yardstick.scorecard.cards[group.card]
    return {
        "measures": group.measures[row],
        "entitlement": evaluate_entitlement(
            yardstick.offer, account, configured=yardstick.features_configured
        ),
        "adjustments": group.judged.reasons[row],
        "unused_product_features": facts.breadth.unused if yardstick.features_configured else (),
        "price_status": _price_status(account, unpriced=group.unpriced[row]),
        "price_cents": None if price is None else round(price, DIGITS),
        "currency": yardstick.base_currency,
        "billed_in": account.currency,
        "seats": account.seats,
        "renewal_on": account.renewal_on,
        "notice_on": account.notice_on,
        "last_used_on": account.last_used_on,
        "partial_window_days": partial_window_days(
            account, facts.as_of, yardstick.scorecard.window_days
        ),
        "normalizer": group.benchmark.normalizer,
        "benchmark_month": yardstick.month,
        "benchmark_segment": group.benchmark.segment or None,
        "benchmark_id": yardstick.benchmark_id,
        "scorecard_version": yardstick.version,
        "card": group.card,
        "edges": (card.watch_from, card.healthy_from),
        "definition": yardstick.definition,
        "inputs": account,
        "inputs_on": facts.as_of,
    }


def partial_window_days(account: AccountFeatures, as_of: date, window_days: int) -> int | None:
    """Of how many days the windows hold anything, where the account is younger than both."""
    started_on = account.started_on
    days = (as_of - started_on).days + 1 if started_on else 0
    return days if days < 2 * window_days else None


def _price_status(account: AccountFeatures, *, unpriced: bool) -> PriceStatus:
    if not account.pays:
        return PriceStatus.NO_PRICE
    if account.no_rate:
        return PriceStatus.NO_RATE
    return PriceStatus.UNPRICED if unpriced else PriceStatus.PRICED
