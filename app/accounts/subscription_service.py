"""Write subscription periods: from the API, imports, ``group`` calls, B2B events and billing.

Every function reads the known periods of an account, computes the periods to write
(``subscriptions``) and writes those that differ. The account row is the lock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.accounts import queries, subscription_queries, subscriptions
from app.accounts.refresh_queue import mark_due
from app.accounts.service import ensure_exists
from app.accounts.subscription_queries import Merges
from app.accounts.subscriptions import Billing, Period, Terms
from app.accounts.tables import Account, Subscription
from app.core.errors import ConflictError, NotFoundError

API, TRAITS = "api", "traits"
"""Sources of terms. Any other source takes precedence over the traits of ``group`` calls."""

BILLING_SOURCES = frozenset({"stripe"})
"""Sources that send every change of a subscription that they bill, including its end."""


@dataclass(frozen=True, slots=True)
class AccountSubscriptions:
    """The subscriptions of an account, by its current id. Changes are known from ``known_on``."""

    session: Session
    workspace_id: str
    account_id: str
    known_on: date

    def put(
        self, subscription_id: str, new: Period, *, keeps_start: bool = False
    ) -> list[Subscription]:
        """Apply new terms from a day on (see ``put_period``); return the subscription's periods."""
        if new.ends_on is not None and new.ends_on <= new.starts_on:
            raise ConflictError(
                f"ends_on must be after {new.starts_on}, the day on which the terms start.",
                code="empty_period",
            )
        if self.put_period(subscription_id, new, source=API, keeps_start=keeps_start):
            self._mark_due()
        return self._current_rows(subscription_id)

    def end(self, subscription_id: str, *, on: date, reason: str | None) -> list[Subscription]:
        """End a subscription on a day; return its periods.

        Raises ``ConflictError`` if it ends earlier already.
        """
        queries.get(self.session, self.workspace_id, Account, self.account_id, lock=True)
        periods = _current_periods(self._known(), subscription_id)
        if not periods:
            raise NotFoundError("subscription", subscription_id)
        if all(period.ends_on is not None and period.ends_on < on for period in periods):
            raise ConflictError(
                f"Subscription {subscription_id} already ends before {on}. To extend it, put its"
                " terms again with a later ends_on.",
                code="already_ended",
            )
        if self._write({subscription_id: subscriptions.end_periods(periods, on, reason)}, API):
            self._mark_due()
        return self._current_rows(subscription_id)

    def put_period(
        self, subscription_id: str, new: Period, *, source: str, keeps_start: bool = False
    ) -> bool:
        """Apply one period (see ``subscriptions.apply_period``); return whether anything changed.

        Terms from ``group`` calls end where the period starts.
        """
        known = self._lock()
        periods = _current_periods(known, subscription_id)
        written = subscriptions.apply_period(periods, new, keeps_start=keeps_start)
        ended = {}
        if TRAITS not in (source, subscription_id):
            ended = _end_trait_periods(known, new.starts_on)
        return self._write_both({subscription_id: written}, source, ended)

    def replace(self, subscription_id: str, wanted: Sequence[Period], *, source: str) -> None:
        """Replace all periods of a subscription.

        ``wanted`` is in order and without overlap. Terms from ``group`` calls end where its first
        period starts. The account is queued for scoring if anything changed.
        """
        known = self._lock()
        periods = _current_periods(known, subscription_id)
        changes = {subscription_id: subscriptions.replace_all(periods, wanted)}
        ended = _end_trait_periods(known, wanted[0].starts_on) if wanted else {}
        if self._write_both(changes, source, ended):
            self._mark_due()

    def end_trait_terms(self, on: date) -> None:
        """End the terms from ``group`` calls on a day, because another source states terms."""
        self._write(_end_trait_periods(self._known(), on), TRAITS)

    def trait_periods(self) -> list[Period]:
        """Return the periods that come from ``group`` calls and B2B events, in order."""
        return self.periods_of(TRAITS)

    def first_day_of_other_sources(self, merged_from: str = "") -> date | None:
        """Return the first day of terms that no ``group`` call and no B2B event states.

        ``merged_from``: only of those that came from a merged account.
        """
        others = [row for row in self._known() if _is_stated_otherwise(row)]
        if merged_from:
            theirs = subscription_queries.list_merged_ids(
                self.session, self.workspace_id, self.account_id, merged_from
            )
            others = [row for row in others if row.subscription_id in theirs]
        return min((row.starts_on for row in others), default=None)

    def replace_trait_terms(self, wanted: Sequence[Period], *, days: Collection[date]) -> None:
        """Replace the periods from ``group`` calls and B2B events.

        Those of merged accounts end on the first of the ``days`` of new statements since the merge:
        what was stated of a day before concerns only one of the accounts. The caller has locked
        the account.
        """
        known = self._known()
        if any(row.source != TRAITS for row in known if row.subscription_id == TRAITS):
            return
        changes = {TRAITS: subscriptions.replace_all(_current_periods(known, TRAITS), wanted)}
        merged = {row.subscription_id for row in known if row.source == TRAITS} - {TRAITS}
        merges = self.merged_traits() if merged else {}
        for each in merged:
            merged_on = merges[each].last_day if each in merges else date.min
            since = min((day for day in days if day >= merged_on), default=date.max)
            if any(period.ends_on is None or period.ends_on > since for period in wanted):
                started = _started_periods(known, each, since)
                changes[each] = subscriptions.end_periods(started, since, None)
        self._write(changes, TRAITS)

    def merged_traits(self) -> Mapping[str, Merges]:
        """Return the subscriptions from ``group`` calls to accounts that were merged into this."""
        return subscription_queries.list_merged_traits(
            self.session, self.workspace_id, self.account_id, TRAITS
        )

    def merged_traits_of(self, old_id: str) -> Mapping[str, Merges]:
        """Return those that came from one account: a new one if it had none that are stored."""
        theirs = {
            id_: each for id_, each in self.merged_traits().items() if each.first_id == old_id
        }
        ids = subscription_queries.list_merged_ids(
            self.session, self.workspace_id, self.account_id, old_id
        )
        if theirs or TRAITS in ids:  # older versions moved it under its own id
            return theirs
        return subscription_queries.first_merged_terms(
            self.session, self.workspace_id, old_id, TRAITS
        )

    def end_merged_terms(self, on: date, reason: str | None, *, stated_on: date) -> None:
        """End the terms that came by merges before a day, because payment of the account ends."""
        for each, merges in self.merged_traits().items():
            if merges.last_day <= stated_on:
                started = _started_periods(self._known(), each, on)
                self._write({each: subscriptions.end_periods(started, on, reason)}, TRAITS)

    def periods_of(self, subscription_id: str) -> list[Period]:
        return _current_periods(self._known(), subscription_id)

    def replace_merged_terms(
        self, subscription_id: str, wanted: Sequence[Period], merges: Merges
    ) -> None:
        """Replace the periods of a subscription that came by a merge."""
        periods = self.periods_of(subscription_id)
        changes = {subscription_id: subscriptions.replace_all(periods, wanted)}
        self._write(changes, TRAITS, merges)

    def end_all(self, *, on: date, reason: str, merged_account_id: str = "") -> bool:
        """End the subscriptions of the API and of imports on a day.

        A billing system sends the end itself, and terms of events end by statement. With
        ``merged_account_id`` only subscriptions that came from that merged account end, those from
        events too. Return False if a billing system bills any of the subscriptions.
        """
        known, elsewhere = self._known(), {*BILLING_SOURCES, TRAITS}
        if merged_account_id:
            theirs = subscription_queries.list_merged_ids(
                self.session, self.workspace_id, self.account_id, merged_account_id
            )
            known = [row for row in known if row.subscription_id in theirs]
            elsewhere = {*BILLING_SOURCES}
        self._end_started([row for row in known if row.source not in elsewhere], on, reason)
        return not any(row.source in BILLING_SOURCES for row in known)

    def _end_started(self, known: Iterable[Subscription], on: date, reason: str | None) -> None:
        """End the periods that start on or before the day ``on``. Later periods are kept."""
        for each, source in sorted({row.subscription_id: row.source for row in known}.items()):
            periods = _started_periods(known, each, on)
            self._write({each: subscriptions.end_periods(periods, on, reason)}, source)

    def _lock(self) -> Sequence[Subscription]:
        """Lock the account, inserted if it is missing; return its known periods."""
        ensure_exists(self.session, self.workspace_id, Account, self.account_id)
        queries.get(self.session, self.workspace_id, Account, self.account_id, lock=True)
        return self._known()

    def _known(self) -> Sequence[Subscription]:
        return subscription_queries.list_known_periods(
            self.session, self.workspace_id, self.account_id
        )

    def _current_rows(self, subscription_id: str) -> list[Subscription]:
        return [row for row in self._known() if _is_current(row, subscription_id)]

    def _write(
        self, changes: Mapping[str, Sequence[Period]], source: str, merges: Merges | None = None
    ) -> bool:
        return subscription_queries.write_periods(
            self.session,
            self.workspace_id,
            self.account_id,
            changes,
            source=source,
            known_on=self.known_on,
            merges=merges,
        )

    def _write_both(
        self,
        changes: Mapping[str, Sequence[Period]],
        source: str,
        ended: Mapping[str, Sequence[Period]],
    ) -> bool:
        """Write periods of a source, and the ends of terms from ``group`` calls, which stay theirs.

        A late call can still change what was paid before those ends.
        """
        of_traits = {each: periods for each, periods in ended.items() if each not in changes}
        has_ended = self._write(of_traits, TRAITS)
        return self._write(changes, source) or has_ended

    def _mark_due(self) -> None:
        mark_due(self.session, self.workspace_id, [self.account_id])


def to_period(row: Subscription) -> Period:
    return Period(
        row.starts_on,
        row.ends_on,
        Terms(row.plan, row.mrr_cents, row.currency, row.seats),
        row.renewal_on,
        row.end_reason,
        row.notice_days,
        Billing(row.billing_period_months, row.term_months, row.auto_renews, row.discount_share),
    )


def _end_trait_periods(known: Iterable[Subscription], on: date) -> dict[str, list[Period]]:
    """Return the periods to write, by subscription, so that terms of ``group`` calls end."""
    from_traits = {row.subscription_id for row in known if row.source == TRAITS}
    return {
        each: subscriptions.end_periods(_current_periods(known, each), on, None)
        for each in from_traits
    }


def _current_periods(rows: Iterable[Subscription], subscription_id: str) -> list[Period]:
    """Return the periods of one subscription that are not withdrawn."""
    return [to_period(row) for row in rows if _is_current(row, subscription_id)]


def _started_periods(known: Iterable[Subscription], subscription_id: str, on: date) -> list[Period]:
    return [p for p in _current_periods(known, subscription_id) if p.starts_on <= on]


def _is_stated_otherwise(row: Subscription) -> bool:
    return row.source != TRAITS and row.ends_on != row.starts_on


def _is_current(row: Subscription, subscription_id: str) -> bool:
    return row.subscription_id == subscription_id and row.ends_on != row.starts_on
