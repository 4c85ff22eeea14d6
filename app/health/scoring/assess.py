"""From features to assessments: status, score and details of each account. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field

from app.core.arrays import Integers, np
from app.core.filters.matching import matches
from app.features.values import AccountFeatures
from app.health.definition.benchmark import MIN_ACCOUNTS, Benchmark, Normalizer, fit_benchmark
from app.health.definition.entitlement import Breadth, evaluate_entitlement
from app.health.definition.metrics import AccountFacts
from app.health.definition.score_definition import Definition
from app.health.definition.scorecard import DEFAULT_CARD, Band, Scorecard
from app.health.scoring.evaluate import (
    DIGITS,
    AdjustedScores,
    account_facts,
    attribute_value,
    describe_measures,
    evaluate,
    measure_inputs,
    rounded_values,
)

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
    """Whether usage is ranked relative to the price (``priced``), or why not.

    ``unpriced``: the benchmark has too few priced accounts. ``no_price``: the account pays nothing.
    ``no_rate``: the exchange rate of its currency is unknown.
    """

    PRICED = "priced"
    UNPRICED = "unpriced"
    NO_PRICE = "no_price"
    NO_RATE = "no_rate"


MRR_CENTS = Field(
    description="Null while a part of the price has no exchange rate (`price_status` `no_rate`):"
    " the rest would pass for the whole.",
    examples=[49900],
)
"""The field of an MRR that may be unknown."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The health of an account as of a day. ``details``: the other fields of the API answer."""

    account_id: str
    score: float | None
    band: Band
    status: HealthStatus
    coverage: float
    mrr_cents: int | None
    plan: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ScoringContext:
    """The settings (``definition``) and peers (``benchmarks``) that accounts are scored with.

    ``benchmarks``: by segment; the key "" is the whole workspace. ``month``: of the benchmarks.
    """

    definition: Definition
    benchmarks: Mapping[str, Benchmark]
    benchmark_id: str
    month: date

    def benchmark(self, segment: str | None) -> Benchmark:
        """Return the benchmark of a segment, or that of the workspace if the segment has none."""
        return self.benchmarks.get(segment or "") or self.benchmarks[""]

    def card_name(self, account: AccountFeatures) -> str:
        """Return the name of the card that the first matching rule selects."""
        facts = AccountFacts(account, NO_BREADTH, self.month)
        for rule in self.definition.scorecard.rules:
            if matches(rule.condition, lambda field: attribute_value(facts, field)):
                return rule.name
        return DEFAULT_CARD


NO_BREADTH = Breadth(0, 0, 0, ())


@dataclass(frozen=True, slots=True)
class ScoredGroup:
    """Accounts with the same card and benchmark. All sequences have one entry per account."""

    card: str
    benchmark: Benchmark
    adjusted: AdjustedScores
    values: Sequence[float | None]
    coverage: Sequence[float]
    unpriced: Sequence[bool]
    measures: Sequence[Sequence[Mapping[str, Any]]]


def assess_accounts(
    context: ScoringContext, accounts: Sequence[AccountFeatures], as_of: date
) -> list[Assessment]:
    """Assess each account with its card and its segment's benchmark, in the order given."""
    assessments = {
        assessment.account_id: assessment
        for group in _groups(context, accounts, as_of)
        for assessment in _assessments(context, group)
    }
    return [assessments[account.account_id] for account in accounts]


def _groups(
    context: ScoringContext, accounts: Sequence[AccountFeatures], as_of: date
) -> Iterator[ScoredGroup]:
    members: dict[tuple[str, str], list[AccountFeatures]] = {}
    for account in accounts:
        segment = context.benchmark(account.segment).segment
        members.setdefault((context.card_name(account), segment), []).append(account)
    scorecard = context.definition.scorecard
    for (name, segment), group in members.items():
        benchmark, card = context.benchmarks[segment], scorecard.cards[name]
        facts = account_facts(context.definition.offer, group, as_of)
        adjusted = evaluate(card, benchmark, scorecard.sources, facts)
        yield ScoredGroup(
            card=name,
            benchmark=benchmark,
            adjusted=adjusted,
            values=rounded_values(adjusted.final),
            coverage=adjusted.scores.coverage.tolist(),
            unpriced=adjusted.scores.unpriced.tolist(),
            measures=describe_measures(card, benchmark, adjusted.scores),
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
    """Whether the first paid day or event is less than 28 days ago, or neither exists yet."""
    started_on = account.started_on
    return started_on is None or (as_of - started_on).days < NEW_DAYS


def eligible_peers(accounts: Sequence[AccountFeatures], as_of: date) -> list[AccountFeatures]:
    """Return the accounts that count as peers on a day: not new, churned or excluded."""
    return [a for a in accounts if not (a.excluded or a.churned or is_new(a, as_of))]


def fit_benchmarks(
    pool: Sequence[AccountFacts], scorecard: Scorecard, product_features: tuple[str, ...]
) -> dict[str, Benchmark]:
    """Fit a benchmark for the workspace and for each segment with at least 20 accounts.

    If at least 20 accounts pay, accounts that pay nothing are left out of the pool. Return the
    benchmarks by segment; the key "" is the whole workspace.
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
    """Return the last days of the ``count`` months before a month, newest first."""
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
    pool = measure_inputs(rows, scorecard.sources)
    ids = [facts.account.account_id for facts in rows]
    numbers = {key: n for n, key in enumerate(sorted(set(ids)))}
    account: Integers = np.array([numbers[key] for key in ids], dtype=np.int64)
    return fit_benchmark(
        pool.now,
        pool.price_cents,
        account,
        segment=segment,
        normalizer=Normalizer.SEGMENT if segment else Normalizer.WORKSPACE,
        price_exponent=scorecard.price_exponent,
        product_features=product_features,
        others={key: pool.others[key].now for key in scorecard.ranked if key in pool.others},
    )


def _assessments(context: ScoringContext, group: ScoredGroup) -> Iterator[Assessment]:
    card = context.definition.scorecard.cards[group.card]
    for row, facts in enumerate(group.adjusted.facts):
        account, value = facts.account, group.values[row]
        status = determine_status(account, facts.as_of, value)
        score = value if status is HealthStatus.OK else None
        yield Assessment(
            account_id=account.account_id,
            score=score,
            band=card.band(score),
            status=status,
            coverage=group.coverage[row],
            mrr_cents=account.mrr_cents,
            plan=account.plan,
            details=_details(context, group, row),
        )


def _details(context: ScoringContext, group: ScoredGroup, row: int) -> dict[str, Any]:
    facts, definition = group.adjusted.facts[row], context.definition
    account, price = facts.account, facts.account.price_cents
    card = definition.scorecard.cards[group.card]
    return {
        "measures": group.measures[row],
        "entitlement": evaluate_entitlement(
            definition.offer, account, configured=definition.configured
        ),
        "adjustments": group.adjusted.reasons[row],
        "unused_product_features": facts.breadth.unused if definition.configured else (),
        "price_status": _price_status(account, unpriced=group.unpriced[row]),
        "price_cents": None if price is None else round(price, DIGITS),
        "currency": definition.spec.base_currency,
        "billed_in": account.currency,
        "seats": account.seats,
        "renewal_on": account.renewal_on,
        "notice_on": account.notice_on,
        "last_used_on": account.last_used_on,
        "partial_window_days": partial_window_days(
            account, facts.as_of, definition.spec.window_days
        ),
        "normalizer": group.benchmark.normalizer,
        "peers": group.benchmark.accounts,
        "min_coverage": card.min_coverage,
        "benchmark_month": context.month,
        "benchmark_segment": group.benchmark.segment or None,
        "benchmark_id": context.benchmark_id,
        "scorecard_version": definition.version,
        "card": group.card,
        "edges": (card.watch_from, card.healthy_from),
        "definition": definition.digest,
        "inputs": account,
        "inputs_on": facts.as_of,
    }


def context_key(details: Mapping[str, Any]) -> str:
    """Identify the settings and peers of a score; equal keys mean comparable scores."""
    return f"{details.get('definition')} {details.get('benchmark_id')}"


def partial_window_days(account: AccountFeatures, as_of: date, window_days: int) -> int | None:
    """Return the days since the start of an account younger than two windows, else None."""
    started_on = account.started_on
    days = (as_of - started_on).days + 1 if started_on else 0
    return days if days < 2 * window_days else None


def _price_status(account: AccountFeatures, *, unpriced: bool) -> PriceStatus:
    if not account.pays:
        return PriceStatus.NO_PRICE
    if account.no_rate:
        return PriceStatus.NO_RATE
    return PriceStatus.UNPRICED if unpriced else PriceStatus.PRICED
