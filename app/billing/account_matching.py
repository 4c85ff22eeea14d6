"""Match a billing customer and its subscriptions to accounts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.accounts.traits import LONGEST_ID, NOT_IDS, trim_id
from app.billing.billing_events import ObjectKind, ParsedEvent
from app.billing.fields import get_object, get_text


@dataclass(slots=True)
class AccountLinks:
    """The account ids that the latest events of one customer name.

    ``customer``: in its metadata. ``by_subscription``: in the metadata of each subscription.
    ``checkout_account``: in its latest checkout. ``checkout_accounts``: in the checkout of each
    subscription. ``external_account_id``: the account whose external id is the customer's id.
    """

    external_account_id: str | None
    customer: str | None = None
    by_subscription: dict[str, str | None] = field(default_factory=dict)
    checkout_account: str | None = None
    checkout_accounts: dict[str, str] = field(default_factory=dict)

    def for_customer(self) -> str | None:
        """Return the account of the customer, else of its checkout, external id, subscription."""
        named = [None, *(account for account in self.by_subscription.values() if account)]
        return self.customer or self.checkout_account or self.external_account_id or named[-1]

    def for_subscription(self, subscription_id: str) -> str | None:
        return (
            self.by_subscription.get(subscription_id)
            or self.customer
            or self.checkout_accounts.get(subscription_id)
            or self.checkout_account
            or self.external_account_id
        )


def collect_links(
    events: Iterable[ParsedEvent], key: str, external_account_id: str | None = None
) -> AccountLinks:
    """Collect the accounts that events name; later events replace earlier ones.

    ``key``: the metadata key that holds the account id.
    """
    links = AccountLinks(external_account_id)
    for event in sorted(events, key=lambda each: each.sort_key):
        match event.kind:
            case ObjectKind.CUSTOMER:
                links.customer = _valid_id(get_text(get_object(event.data, "metadata"), key))
            case ObjectKind.SUBSCRIPTION:
                links.by_subscription.pop(event.object_id, None)  # the newest comes last
                account_id = _valid_id(get_text(get_object(event.data, "metadata"), key))
                links.by_subscription[event.object_id] = account_id
            case ObjectKind.CHECKOUT:
                account_id = _valid_id(get_text(event.data, "client_reference_id"))
                links.checkout_account = account_id or links.checkout_account
                if event.subscription_id and links.checkout_account:
                    links.checkout_accounts[event.subscription_id] = links.checkout_account
    return links


def _valid_id(account_id: str | None) -> str | None:
    """Return None for a placeholder such as "undefined": all customers would share that account."""
    trimmed = trim_id(account_id or "")
    return None if trimmed.lower() in NOT_IDS or len(trimmed) > LONGEST_ID else trimmed
