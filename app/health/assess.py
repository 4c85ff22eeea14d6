"""From features to assessments: who has a score, what it is, and what it is made of. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import numpy as np

from app.features.values import AccountFeatures
from app.health.benchmark import (
    MEASURES,
    MIN_ACCOUNTS,
    Benchmark,
    Floats,
    Integers,
    Normalizer,
    fit,
)
from app.health.details import DIGITS, describe, rounded
from app.health.entitlement import Breadth, Offer, breadth
from app.health.scorecard import Band, Inputs, Scorecard, band, score

NEW_DAYS = 28


class Status(StrEnum):
    OK = "ok"
    NEW = "new"
    INSUFFICIENT_DATA = "insufficient_data"
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
    status: Status
    coverage: float
    mrr_cents: int
    plan: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What all accounts are held against on one day."""

    card: Scorecard
    offer: Offer
    benchmarks: Mapping[str, Benchmark]
    month: date
    features_configured: bool

    def benchmark(self, segment: str | None) -> Benchmark:
        """Return the segment's own, else the workspace's (its segment is the empty text)."""
        return self.benchmarks.get(segment or "") or self.benchmarks[""]


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts that are held against the same benchmark; everything in it goes by the same row."""

    benchmark: Benchmark
    accounts: Sequence[AccountFeatures]
    widths: Sequence[Breadth]
    values: Sequence[float | None]
    coverage: Sequence[float]
    unpriced: Sequence[bool]
    measures: Sequence[Sequence[Mapping[str, Any]]]

    @property
    def rows(self) -> range:
        return range(len(self.accounts))


def assess(
    yardstick: Yardstick, accounts: Sequence[AccountFeatures], as_of: date
) -> list[Assessment]:
    """Judge each account by its segment's benchmark, in the order given."""
    found = {
        assessment.account_id: assessment
        for group in _groups(yardstick, accounts)
        for assessment in (_assessment(yardstick, group, row, as_of) for row in group.rows)
    }
    return [found[account.account_id] for account in accounts]


def _groups(yardstick: Yardstick, accounts: Sequence[AccountFeatures]) -> Iterator[Group]:
    by_segment: dict[str, list[AccountFeatures]] = {}
    for account in accounts:
        segment = yardstick.benchmark(account.segment).segment
        by_segment.setdefault(segment, []).append(account)
    for segment, members in by_segment.items():
        benchmark = yardstick.benchmarks[segment]
        widths = [breadth(yardstick.offer, account) for account in members]
        known = inputs(members, widths)
        scores = score(yardstick.card, benchmark, known)
        yield Group(
            benchmark=benchmark,
            accounts=members,
            widths=widths,
            values=rounded(scores.score),
            coverage=scores.coverage.tolist(),
            unpriced=scores.unpriced.tolist(),
            measures=describe(yardstick.card, benchmark, known, scores),
        )


def inputs(accounts: Sequence[AccountFeatures], widths: Sequence[Breadth]) -> Inputs:
    """Lay features out as arrays; rows are accounts, columns the measures."""
    pairs = list(zip(accounts, widths, strict=True))
    return Inputs(
        now=_table([(w.now, a.active_users, a.reached) for a, w in pairs]),
        previous=_table([(w.before, a.active_users_before, a.reached_before) for a, w in pairs]),
        shares=_table(
            [
                (
                    _share(w.now, w.entitled),
                    _share(a.active_users, a.seats),
                    _share(a.reached, a.end_customers),
                )
                for a, w in pairs
            ]
        ),
        price_cents=np.array([a.price_cents or np.nan for a in accounts], dtype=np.float64),
    )


def status(account: AccountFeatures, as_of: date, value: float | None) -> Status:
    if account.excluded:
        return Status.EXCLUDED
    if account.churned:
        return Status.CHURNED
    if is_new(account, as_of):
        return Status.NEW
    return Status.INSUFFICIENT_DATA if value is None else Status.OK


def is_new(account: AccountFeatures, as_of: date) -> bool:
    """Fewer than 28 days since the first paid day or event; nothing at all yet is new too."""
    started_on = account.started_on
    return started_on is None or (as_of - started_on).days < NEW_DAYS


def poolable(accounts: Sequence[AccountFeatures], as_of: date) -> list[AccountFeatures]:
    """Keep those that count as peers on a day: neither new, nor churned, nor excluded."""
    return [a for a in accounts if not (a.excluded or a.churned or is_new(a, as_of))]


def fit_benchmarks(
    pool: Sequence[AccountFeatures],
    card: Scorecard,
    offer: Offer,
    product_features: tuple[str, ...],
) -> dict[str, Benchmark]:
    """Fit one benchmark for the workspace, and one for each segment with enough accounts.

    If at least 20 accounts pay, those who pay nothing are left out: they are no peers.
    """
    rows = [account for account in pool if account.price_cents]
    if len({account.account_id for account in rows}) < MIN_ACCOUNTS:
        rows = list(pool)
    fitted = {"": _fit(rows, card, offer, segment="", product_features=product_features)}
    for segment in sorted({row.segment for row in rows if row.segment}):
        members = [row for row in rows if row.segment == segment]
        benchmark = _fit(members, card, offer, segment=segment, product_features=product_features)
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
    rows: Sequence[AccountFeatures],
    card: Scorecard,
    offer: Offer,
    *,
    segment: str,
    product_features: tuple[str, ...],
) -> Benchmark:
    laid_out = inputs(rows, [breadth(offer, row) for row in rows])
    numbers = {key: n for n, key in enumerate(sorted({row.account_id for row in rows}))}
    account: Integers = np.array([numbers[row.account_id] for row in rows], dtype=np.int64)
    return fit(
        laid_out.now,
        laid_out.price_cents,
        account,
        segment=segment,
        normalizer=Normalizer.SEGMENT if segment else Normalizer.WORKSPACE,
        price_exponent=card.price_exponent,
        product_features=product_features,
    )


def _table(rows: list[tuple[float, ...]]) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(MEASURES))


def _share(value: float, whole: float | None) -> float:
    return value / whole if whole else float("nan")


def _assessment(yardstick: Yardstick, group: Group, row: int, as_of: date) -> Assessment:
    account = group.accounts[row]
    standing = status(account, as_of, group.values[row])
    value = group.values[row] if standing is Status.OK else None
    return Assessment(
        account_id=account.account_id,
        score=value,
        band=band(yardstick.card, value),
        status=standing,
        coverage=group.coverage[row],
        mrr_cents=account.mrr_cents,
        plan=account.plan,
        details=_details(yardstick, group, row),
    )


def _details(yardstick: Yardstick, group: Group, row: int) -> dict[str, Any]:
    account, price = group.accounts[row], group.accounts[row].price_cents
    unused = group.widths[row].unused if yardstick.features_configured else ()
    return {
        "measures": group.measures[row],
        "unused_product_features": unused,
        "price_status": _price_status(account, unpriced=group.unpriced[row]),
        "price_cents": None if price is None else round(price, DIGITS),
        "currency": account.currency,
        "seats": account.seats,
        "renewal_on": account.renewal_on,
        "last_used_on": account.last_used_on,
        "normalizer": group.benchmark.normalizer,
        "benchmark_month": yardstick.month,
        "benchmark_segment": group.benchmark.segment or None,
        "scorecard_version": yardstick.card.version,
    }


def _price_status(account: AccountFeatures, *, unpriced: bool) -> PriceStatus:
    if not account.pays:
        return PriceStatus.NO_PRICE
    if account.no_rate:
        return PriceStatus.NO_RATE
    return PriceStatus.UNPRICED if unpriced else PriceStatus.PRICED
