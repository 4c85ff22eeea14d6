"""Store imported subscription periods: a newer period of a subscription ends the older one."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from app.accounts.subscription_service import TRAITS, AccountSubscriptions, to_period
from app.accounts.subscriptions import (
    Billing,
    KnownPeriod,
    Period,
    Terms,
    end_superseded,
    without_derived_ends,
)
from app.accounts.tables import Subscription
from app.imports import queries
from app.imports.event_loader import RowFields
from app.imports.queries import NotedDays
from app.imports.row_results import NumberedRow, RowsResult, count_ends
from app.imports.stated_periods import (
    NumberedVersion,
    PeriodKey,
    StatedPeriods,
    SubscriptionKey,
    conflict_error,
    group_by_period,
)
from app.workspaces.tables import Workspace

SOURCE = "import"
NO_TERMS = Terms(None, 0, "", None)
"""Of periods whose days alone matter."""
Versions = dict[PeriodKey, KnownPeriod]


def note_subscriptions(
    workspace: Workspace, rows: Sequence[NumberedRow], stated: StatedPeriods
) -> None:
    """Note what the rows state, before any row of their file is stored."""
    stated.note(_read_versions(rows, workspace.base_currency), _unnamed_keys(rows))


def write_subscriptions(
    session: Session,
    workspace: Workspace,
    rows: Sequence[NumberedRow],
    *,
    inclusive_ends: bool,
    stated: StatedPeriods,
) -> RowsResult:
    """Store periods. Lines of one file that give a period different terms are all refused.

    ``inclusive_ends``: whether the file states last paid days; the rows have the days after them.
    ``stated``: what all lines of the file state.
    """
    new, result = _unique_periods(_read_versions(rows, workspace.base_currency), stated)
    account_ids = {subscription[0] for subscription, _, _ in new}
    queries.insert_missing_accounts(session, workspace.id, account_ids)
    queries.lock_accounts(session, workspace.id, account_ids)
    stored = queries.list_subscription_versions(
        session, workspace.id, {subscription for subscription, _, _ in new}
    )
    before = {_key_of(row): _version_of(row) for row in stored}
    after = _merge(before, new)
    _write_changes(session, workspace.id, before, after)
    _end_trait_terms(session, workspace.id, new)
    result.duplicates += sum(before.get(key) == after[key] for key in new)
    noted = stated.load_subscriptions({subscription for subscription, _, _ in new})
    lines = {line for line, _ in rows}
    result.counts = {
        "shortened": _count_shortened(before, noted, lines),
        **count_ends((row for _, row in rows), inclusive_ends=inclusive_ends),
    }
    return result


def end_superseded_periods(
    session: Session, workspace_id: str, subscriptions: Sequence[SubscriptionKey]
) -> None:
    """End the stored periods of subscriptions where newer ones start, as an import would."""
    queries.lock_accounts(session, workspace_id, {account_id for account_id, _ in subscriptions})
    stored = queries.list_subscription_versions(session, workspace_id, subscriptions)
    before = {_key_of(row): _version_of(row) for row in stored}
    _write_changes(session, workspace_id, before, _merge(before, {}))


def _read_versions(rows: Sequence[NumberedRow], base_currency: str) -> list[NumberedVersion]:
    return [(line, _key(row), _read_version(row, base_currency)) for line, row in rows]


def _unnamed_keys(rows: Sequence[NumberedRow]) -> set[PeriodKey]:
    return {_key(row) for _, row in rows if not row.get("subscription_id")}


def _unique_periods(
    rows: Sequence[NumberedVersion], stated: StatedPeriods
) -> tuple[Versions, RowsResult]:
    """Return one version for each key, and errors for lines that contradict others of the file."""
    lines = group_by_period(rows)
    noted = stated.load(lines)
    unique: Versions = {}
    result = RowsResult()
    for key, versions in lines.items():
        if (found := noted.get(key)) and found.is_contradicted:
            result.errors += [
                conflict_error(line, found.lines, found.line_count) for line in versions
            ]
        else:
            unique[key] = next(iter(versions.values()))
            result.duplicates += len(versions) - 1
    return unique, result


def _key(row: RowFields) -> PeriodKey:
    subscription = row["account_id"], row.get("subscription_id") or "main"
    return subscription, row["starts_on"], row.get("known_on") or row["starts_on"]


def _read_version(row: RowFields, base_currency: str) -> KnownPeriod:
    terms = Terms(
        row.get("plan"),
        row["mrr_cents"],
        row.get("currency") or base_currency,
        row.get("seats"),
    )
    period = Period(
        row["starts_on"],
        row.get("ends_on"),
        terms,
        row.get("renewal_on"),
        row.get("end_reason"),
        row.get("notice_days"),
        Billing(
            row.get("billing_period_months"),
            row.get("term_months"),
            row.get("auto_renews"),
            row.get("discount_share"),
        ),
    )
    return KnownPeriod(row.get("known_on") or row["starts_on"], period, SOURCE)


def _key_of(row: Subscription) -> PeriodKey:
    return (row.account_id, row.subscription_id), row.starts_on, row.known_on


def _version_of(row: Subscription) -> KnownPeriod:
    return KnownPeriod(
        row.known_on,
        to_period(row),
        row.source,
        tuple(zip(row.merged_from, row.merged_on, strict=True)),
    )


def _merge(before: Versions, new: Versions) -> Versions:
    """Return all versions of the subscriptions after the new ones are stored."""
    stated: defaultdict[SubscriptionKey, dict[tuple[date, date], KnownPeriod]] = defaultdict(dict)
    for (subscription, starts_on, known_on), version in _stated_versions(before).items():
        stated[subscription][starts_on, known_on] = version
    for (subscription, starts_on, known_on), version in new.items():
        replaced = before.get((subscription, starts_on, known_on))
        merges = replaced.merges if replaced else ()
        stated[subscription][starts_on, known_on] = replace(version, merges=merges)
    return {
        (subscription, version.period.starts_on, version.known_on): version
        for subscription, versions in stated.items()
        for version in end_superseded(versions.values())
    }


def _write_changes(session: Session, workspace_id: str, before: Versions, after: Versions) -> None:
    changed = [key for key in after if before.get(key) != after[key]]
    rows = [_columns(key, after[key]) for key in sorted(changed)]
    queries.upsert_rows(session, workspace_id, Subscription, rows)
    queries.delete_subscription_versions(
        session, workspace_id, [(*key[0], *key[1:]) for key in sorted(before.keys() - after.keys())]
    )


def _columns(key: PeriodKey, version: KnownPeriod) -> RowFields:
    (account_id, subscription_id), _, known_on = key
    return {
        "account_id": account_id,
        "subscription_id": subscription_id,
        "known_on": known_on,
        **version.period.columns(),
        "source": version.source,
        "merged_from": [account_id for account_id, _ in version.merges],
        "merged_on": [day for _, day in version.merges],
    }


def _end_trait_terms(session: Session, workspace_id: str, new: Versions) -> None:
    """End the terms from ``group`` calls where imported periods start: both would add up."""
    first: dict[str, tuple[date, date]] = {}
    for (account_id, subscription_id), starts_on, known_on in new:
        if subscription_id != TRAITS:
            days = first.get(account_id, (starts_on, known_on))
            first[account_id] = min(days[0], starts_on), min(days[1], known_on)
    for account_id in queries.list_trait_accounts(session, workspace_id, first):
        starts_on, known_on = first[account_id]
        AccountSubscriptions(session, workspace_id, account_id, known_on).end_trait_terms(starts_on)


def _stated_versions(stored: Versions) -> Versions:
    """Return stored periods as they were stated, without the ends by newer periods."""
    by_subscription: defaultdict[SubscriptionKey, list[KnownPeriod]] = defaultdict(list)
    for (subscription, _, _), version in stored.items():
        by_subscription[subscription].append(version)
    return {
        (subscription, version.period.starts_on, version.known_on): version
        for subscription, several in by_subscription.items()
        for version in without_derived_ends(several)
    }


def _count_shortened(
    stored: Versions, noted: Mapping[PeriodKey, NotedDays], lines: Collection[int]
) -> int:
    """Count periods that a newer one ends although the file states a later end or no id.

    ``stored``: the periods of these subscriptions, with any part of the file. ``noted``: all that
    the file states of them. A subscription is counted once, with the page whose ``lines`` are the
    first to state it, as it is when the whole file is stored.
    """
    first_lines: dict[SubscriptionKey, int] = {}
    for (subscription, _, _), note in noted.items():
        first = first_lines.get(subscription, note.first_line)
        first_lines[subscription] = min(first, note.first_line)
    stated = {key: note for key, note in noted.items() if first_lines[key[0]] in lines}
    counted = {subscription for subscription, _, _ in stated}
    before = {key: version for key, version in stored.items() if key[0] in counted}
    whole = _merge(before, {key: _noted_version(key, note) for key, note in stated.items()})
    last_ends = {key[:2]: whole[key].period.ends_on for key in sorted(whole)}
    last_notes = {key[:2]: stated[key] for key in sorted(stated)}
    return sum(_is_shortened(note, last_ends[start]) for start, note in last_notes.items())


def _noted_version(key: PeriodKey, note: NotedDays) -> KnownPeriod:
    _, starts_on, known_on = key
    return KnownPeriod(known_on, Period(starts_on, note.ends_on, NO_TERMS), SOURCE)


def _is_shortened(note: NotedDays, end: date | None) -> bool:
    """Whether a period ends before the file says, by an end or by the lack of an id."""
    if end is None:
        return False
    return end < note.ends_on if note.ends_on else note.is_unnamed
