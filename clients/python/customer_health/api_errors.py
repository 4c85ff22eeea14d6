"""The bases of all errors. A class for each problem code is in ``customer_health.errors``."""

from collections.abc import Mapping, Sequence
from typing import Any


class CustomerHealthError(Exception):
    """Anything that this package raises by itself."""


class ConnectionLostError(CustomerHealthError):
    """No answer arrived, after all retries that are safe. The request may have been carried out."""


class ApiError(CustomerHealthError):
    """A problem that the service answered with. Its class says which: by code, else by status."""

    status: int = 0
    code: str = ""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        self.detail = str(problem.get("detail", ""))
        self.errors: Sequence[Mapping[str, str]] = problem.get("errors", ())
        self.request_id = str(problem.get("request_id", ""))
        self.retry_after = retry_after
        where = "".join(f" {each['pointer']}: {each['message']}" for each in self.errors)
        super().__init__(f"{status} {self.code}: {self.detail}{where}")
