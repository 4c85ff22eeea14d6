"""What the API takes and returns: JSON objects, as ``TypedDict`` classes for type checkers."""

from customer_health._generated.models import *  # noqa: F403
