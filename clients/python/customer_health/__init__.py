"""The client of Customer Health: ``Client`` and ``AsyncClient``. See README.md."""

from customer_health.api_errors import ApiError, ConnectionLostError, CustomerHealthError
from customer_health.client import AsyncClient, Client
from customer_health.retries import Retries
from customer_health.webhooks import SignatureError, verify_webhook

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "ConnectionLostError",
    "CustomerHealthError",
    "Retries",
    "SignatureError",
    "verify_webhook",
]
