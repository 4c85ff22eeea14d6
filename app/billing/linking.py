"""Whose money it is: which account a customer or a subscription of theirs is said to be."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.accounts.traits import NOT_IDS
from app.billing.notices import Kind, Notice
from app.billing.stripe import named_account, referenced_account

LONGEST_ID = 255


@dataclass(slots=True)
class Links:
    """What was said last, by the ids of subscriptions; ``customer``: by the customer's own."""

    customer: str | None = None
    by_subscription: dict[str, str | None] = field(default_factory=dict)
    reference: str | None = None
    references: dict[str, str] = field(default_factory=dict)

    def of_customer(self, elsewhere: str | None) -> str | None:
        """Take the customer's account; else of a subscription that names one, the newest."""
        said = [account for account in self.by_subscription.values() if account]
        return self.customer or self.reference or elsewhere or (said[-1] if said else None)

    def of_subscription(self, subscription_id: str, elsewhere: str | None) -> str | None:
        return (
            self.by_subscription.get(subscription_id)
            or self.customer
            or self.references.get(subscription_id)
            or self.reference
            or elsewhere
        )


def links(notices: Iterable[Notice], key: str) -> Links:
    """Read who is named, with what was said later in place of what was said before."""
    found = Links()
    for notice in sorted(notices, key=lambda each: each.place):
        match notice.kind:
            case Kind.CUSTOMER:
                found.customer = _usable(named_account(notice.said, key))
            case Kind.SUBSCRIPTION:
                found.by_subscription.pop(notice.object_id, None)
                found.by_subscription[notice.object_id] = _usable(named_account(notice.said, key))
            case Kind.CHECKOUT:
                found.reference = _usable(referenced_account(notice.said)) or found.reference
                if notice.subscription_id and found.reference:
                    found.references[notice.subscription_id] = found.reference
    return found


def _usable(account_id: str | None) -> str | None:
    """Let no "undefined" of somebody's script become an account that all customers share."""
    named = (account_id or "").strip()
    return None if named.lower() in NOT_IDS or len(named) > LONGEST_ID else named
