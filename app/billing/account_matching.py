"""Whose money it is: which account a customer or a subscription of theirs is said to be."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.accounts.traits import NOT_IDS
from app.billing.billing_events import ObjectKind, ParsedEvent
from app.billing.stripe_events import account_in_metadata, account_of_checkout

LONGEST_ID = 255


@dataclass(slots=True)
class AccountLinks:
    """What was said last, by the ids of subscriptions; ``customer``: by the customer's own."""

    customer: str | None = None
    by_subscription: dict[str, str | None] = field(default_factory=dict)
    checkout_account: str | None = None
    checkout_accounts: dict[str, str] = field(default_factory=dict)

    def of_customer(self, elsewhere: str | None) -> str | None:
        """Take the customer's account; else of a subscription that names one, the newest."""
        said = [account for account in self.by_subscription.values() if account]
        return self.customer or self.checkout_account or elsewhere or (said[-1] if said else None)

    def for_subscription(self, subscription_id: str, elsewhere: str | None) -> str | None:
        return (
            self.by_subscription.get(subscription_id)
            or self.customer
            or self.checkout_accounts.get(subscription_id)
            or self.checkout_account
            or elsewhere
        )


def collect_links(notices: Iterable[ParsedEvent], key: str) -> AccountLinks:
    """Read who is named, with what was said later in place of what was said before."""
    found = AccountLinks()
    for notice in sorted(notices, key=lambda each: each.place):
        match notice.kind:
            case ObjectKind.CUSTOMER:
                found.customer = _valid_id(account_in_metadata(notice.said, key))
            case ObjectKind.SUBSCRIPTION:
                found.by_subscription.pop(notice.object_id, None)
                found.by_subscription[notice.object_id] = _valid_id(
                    account_in_metadata(notice.said, key)
                )
            case ObjectKind.CHECKOUT:
                found.checkout_account = (
                    _valid_id(account_of_checkout(notice.said)) or found.checkout_account
                )
                if notice.subscription_id and found.checkout_account:
                    found.checkout_accounts[notice.subscription_id] = found.checkout_account
    return found


def _valid_id(account_id: str | None) -> str | None:
    """Let no "undefined" of somebody's script become an account that all customers share."""
    named = (account_id or "").strip()
    return None if named.lower() in NOT_IDS or len(named) > LONGEST_ID else named
