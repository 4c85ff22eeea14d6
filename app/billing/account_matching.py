"""Match a billing customer and its subscriptions to accounts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.accounts.traits import NOT_IDS
from app.billing.billing_events import ObjectKind, ParsedEvent
from app.billing.stripe_events import account_in_metadata, account_of_checkout

LONGEST_ID = 255


@dataclass(slots=True)
class AccountLinks:
    """The account ids in the latest events: of the customer, its subscriptions and checkouts."""

    customer: str | None = None
    by_subscription: dict[str, str | None] = field(default_factory=dict)
    checkout_account: str | None = None
    checkout_accounts: dict[str, str] = field(default_factory=dict)

    def for_customer(self, external_account_id: str | None) -> str | None:
        """Return the customer's account, else that of the newest subscription that names one.

        ``external_account_id``: the account whose external id is the customer's id.
        """
        named = [account for account in self.by_subscription.values() if account]
        return (
            self.customer
            or self.checkout_account
            or external_account_id
            or (named[-1] if named else None)
        )

    def for_subscription(self, subscription_id: str, external_account_id: str | None) -> str | None:
        return (
            self.by_subscription.get(subscription_id)
            or self.customer
            or self.checkout_accounts.get(subscription_id)
            or self.checkout_account
            or external_account_id
        )


def collect_links(events: Iterable[ParsedEvent], key: str) -> AccountLinks:
    """Collect the accounts that events name; later events replace earlier ones.

    ``key``: the metadata key that holds the account id.
    """
    links = AccountLinks()
    for event in sorted(events, key=lambda each: each.sort_key):
        match event.kind:
            case ObjectKind.CUSTOMER:
                links.customer = _valid_id(account_in_metadata(event.data, key))
            case ObjectKind.SUBSCRIPTION:
                links.by_subscription.pop(event.object_id, None)  # the newest comes last
                account_id = _valid_id(account_in_metadata(event.data, key))
                links.by_subscription[event.object_id] = account_id
            case ObjectKind.CHECKOUT:
                account_id = _valid_id(account_of_checkout(event.data))
                links.checkout_account = account_id or links.checkout_account
                if event.subscription_id and links.checkout_account:
                    links.checkout_accounts[event.subscription_id] = links.checkout_account
    return links


def _valid_id(account_id: str | None) -> str | None:
    """Return None for a placeholder such as "undefined": all customers would share that account."""
    trimmed = (account_id or "").strip()
    return None if trimmed.lower() in NOT_IDS or len(trimmed) > LONGEST_ID else trimmed
