"""A class for each problem code of the API, below a class for its status."""

from customer_health._generated.errors import *  # noqa: F403
from customer_health.api_errors import ApiError as ApiError  # noqa: PLC0414 - for users
from customer_health.api_errors import ConnectionLostError as ConnectionLostError  # noqa: PLC0414 - for users
from customer_health.api_errors import CustomerHealthError as CustomerHealthError  # noqa: PLC0414 - for users
