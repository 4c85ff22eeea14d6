"""The features of an account counted in plain Python, to compare with the SQL statement."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from app.features.values import AccountFeatures, FeatureSpec
from app.tables import (
    Account,
    DailyReach,
    DailyUsage,
    ExchangeRate,
    FirstUse,
    Subscription,
    User,
    UserAlias,
)
from tests.features.world import AS_OF, Row, World


def recount(
    world: World, account_id: str, spec: FeatureSpec, *, as_of: date = AS_OF
) -> AccountFeatures:
    """Count each feature of one account on its own, as docs define it."""
    account = _account_row(world, account_id)
    usage = [
        row
        for row in world.rows_of(DailyUsage, account_id, known_on=as_of)
        if not _excluded(world, row, as_of)
    ]
    reach = [
        row
        for row in world.rows_of(DailyReach, account_id, known_on=as_of)
        if not _excluded(world, row, as_of)
    ]
    now = [as_of - timedelta(days=back) for back in range(spec.window_days)]
    before = [on - timedelta(days=spec.window_days) for on in now]
    first_days = _first_days(world, account_id, usage, as_of)
    days_used = [
        row["day"]
        for row in usage
        if row["day"] in now + before or (row["day"] < min(before) and first_days)
    ]
    return AccountFeatures(
        account_id=account_id,
        segment=account.get("segment"),
        excluded=account.get("excluded", False),
        end_customers=account.get("end_customers"),
        feature_exceptions=account.get("feature_exceptions", {}),
        adopted=_adopted(usage, spec, now),
        adopted_before=_adopted(usage, spec, before),
        active_users=_active_users(world, usage, spec, now, as_of),
        active_users_before=_active_users(world, usage, spec, before, as_of),
        reached=_reached(usage, reach, spec, now),
        reached_before=_reached(usage, reach, spec, before),
        last_used_on=max(days_used, default=None),
        first_used_on=min(first_days, default=None),
        industry=account.get("industry"),
        owner=account.get("owner"),
        employees=account.get("employees"),
        traits={
            name: value for name, value in account.get("traits", {}).items() if name in spec.traits
        },
        events=sum(row["events"] for row in usage if row["day"] in now),
        events_before=sum(row["events"] for row in usage if row["day"] in before),
        active_days=len({row["day"] for row in usage if row["day"] in now}),
        active_days_before=len({row["day"] for row in usage if row["day"] in before}),
        feature_events=_feature_events(usage, spec, now),
        counts=_counts(usage, spec, as_of),
        **_payment(world, _periods(world, account_id, as_of), account, spec, now),
    )


def _feature_events(
    usage: Iterable[Row], spec: FeatureSpec, days: Collection[date]
) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in usage:
        for event_name, feature in spec.product.events:
            if row["event_name"] == event_name and row["day"] in days:
                counts[feature] = counts.get(feature, 0) + row["events"]
    return counts


def _counts(usage: Iterable[Row], spec: FeatureSpec, as_of: date) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in usage:
        for count in spec.counts:
            if row["event_name"] in count.events and 0 <= (as_of - row["day"]).days < count.days:
                counts[count.key] = counts.get(count.key, 0) + row["events"]
    return counts


def _account_row(world: World, account_id: str) -> Row:
    return next((row for row in world.rows.get(Account, []) if row["account_id"] == account_id), {})


def _person(world: World, row: Row, as_of: date) -> str | None:
    if not row["is_anonymous"]:
        return str(row["user_id"])
    return next(
        (
            alias["user_id"]
            for alias in world.rows[UserAlias]
            if alias["anonymous_id"] == row["user_id"] and alias["known_on"] <= as_of
        ),
        None,
    )


def _excluded(world: World, row: Row, as_of: date) -> bool:
    person = _person(world, row, as_of)
    return any(user["user_id"] == person and user["excluded"] for user in world.rows[User])


def _first_days(
    world: World, account_id: str, usage: Iterable[Row], as_of: date
) -> Collection[date]:
    """Return the days of use; the stored first one alone if its usage is no longer stored."""
    stored = [row["day"] for row in world.rows_of(FirstUse, account_id, known_on=as_of)]
    days = {row["day"] for row in world.rows_of(DailyUsage, account_id, known_on=as_of)}
    if not stored or min(stored) not in days:
        return stored
    return [row["day"] for row in usage if row["day"] >= min(stored)]


def _adopted(usage: Iterable[Row], spec: FeatureSpec, days: Collection[date]) -> list[str]:
    used = {
        (feature, row["day"])
        for row in usage
        for event_name, feature in spec.product.events
        if row["event_name"] == event_name and row["day"] in days
    }
    features = sorted({feature for feature, _ in used})
    return [key for key in features if sum(feature == key for feature, _ in used) >= 2]


def _active_users(
    world: World, usage: Iterable[Row], spec: FeatureSpec, days: Collection[date], as_of: date
) -> int:
    of_product = {event_name for event_name, _ in spec.product.events}
    people = {
        _person(world, row, as_of)
        for row in usage
        if row["day"] in days and row["event_name"] in of_product
    }
    return len(people - {None})


def _reached(
    usage: Iterable[Row], reach: Iterable[Row], spec: FeatureSpec, days: Collection[date]
) -> int:
    match spec.reach.kind:
        case "ids":
            return len({row["end_customer_id"] for row in reach if row["day"] in days})
        case "property":
            return sum(row["quantity"] for row in usage if row["day"] in days)
    named = spec.reach.events
    return sum(r["events"] for r in usage if r["day"] in days and r["event_name"] in named)


def _periods(world: World, account_id: str, as_of: date) -> list[Row]:
    """The newest row of each start; a period that ends on its start was withdrawn."""
    newest: dict[tuple[str, date], Row] = {}
    rows = world.rows_of(Subscription, account_id, known_on=as_of)
    for row in sorted(rows, key=lambda row: row["known_on"]):
        newest[row["subscription_id"], row["starts_on"]] = row
    return [row for row in newest.values() if row["ends_on"] != row["starts_on"]]


def _is_held(row: Row, known: list[Row], as_of: date) -> bool:
    """Whether an ended period runs on to the paid one that renews it within 31 days."""
    ends_on = row["ends_on"]
    same = [each for each in known if each["subscription_id"] == row["subscription_id"]]
    last = max(each["starts_on"] for each in same if each["starts_on"] <= as_of)
    if ends_on is None or ends_on > as_of or not row["mrr_cents"] or row["starts_on"] != last:
        return False
    if (
        row.get("end_reason") is None
        and row.get("renewal_on") == ends_on + timedelta(days=1) > as_of
    ):
        return True
    paid_at_end = any(_covers(each, ends_on) for each in known if each["mrr_cents"] > 0)
    return any(
        as_of < each["starts_on"] <= ends_on + timedelta(days=31)
        for each in (same if paid_at_end else known)
        if each["mrr_cents"] > 0
    )


def _cents(world: World, row: Row, spec: FeatureSpec) -> int | None:
    """Cents in the base currency at the rate of the start of the period; None without a rate."""
    if row["currency"] == spec.base_currency:
        return int(row["mrr_cents"])
    rates = [
        (rate["starts_on"], rate["rate"])
        for rate in world.rows.get(ExchangeRate, [])
        if rate["currency"] == row["currency"] and rate["starts_on"] <= row["starts_on"]
    ]
    if not rates:
        return None
    exact = Decimal(row["mrr_cents"]) * max(rates)[1]
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _payment(
    world: World, periods: list[Row], account: Row, spec: FeatureSpec, now: list[date]
) -> Row:
    as_of = now[0]
    known, periods = periods, [row for row in periods if row["starts_on"] <= as_of]
    cents = {id(row): _cents(world, row, spec) for row in periods}
    running = [row for row in periods if _covers(row, as_of) or _is_held(row, known, as_of)]
    paying = [row for row in periods if row["mrr_cents"] > 0]
    pays = any(row["mrr_cents"] > 0 for row in running)
    in_window = [row for row in paying if row in running or any(_covers(row, on) for on in now)]
    no_rate = any(cents[id(row)] is None for row in in_window)
    paid_a_day = [
        sum(cents[id(row)] or 0 for row in paying if _covers(row, on))
        for on in now
        if any(_covers(row, on) for row in paying)
    ]
    newest = sorted(running, key=lambda row: row["subscription_id"])
    newest = sorted(newest, key=lambda row: row["starts_on"], reverse=True)
    seats = [row["seats"] for row in running if row["seats"] is not None]
    renewals = [row["renewal_on"] for row in running if row["renewal_on"]]
    ends = [row["ends_on"] for row in paying if row["ends_on"]]
    return {
        "first_paid_on": min((row["starts_on"] for row in paying), default=None),
        "paid_until": None if pays else max(ends, default=None),
        "pays": pays,
        "no_rate": no_rate,
        "price_cents": sum(paid_a_day) / len(paid_a_day) if pays and not no_rate else None,
        "mrr_cents": None if pays and no_rate else sum(cents[id(row)] or 0 for row in running),
        "currency": next((row["currency"] for row in newest), None),
        "seats": sum(seats) if seats else None,
        "plan": next((row["plan"] for row in newest if row["plan"]), account.get("plan")),
        "renewal_on": min((on for on in renewals if on >= as_of), default=None),
        "notice_on": min(
            (
                row["renewal_on"]
                - timedelta(days=30 if row["notice_days"] is None else row["notice_days"])
                for row in running
                if row["renewal_on"] and row["renewal_on"] >= as_of
            ),
            default=None,
        ),
    }


def _covers(row: Row, on: date) -> bool:
    return bool(row["starts_on"] <= on and (row["ends_on"] is None or on < row["ends_on"]))
