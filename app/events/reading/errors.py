"""Problems of a whole request: the answer is an error, and nothing is stored."""

from app.core.errors import BadRequestError, PayloadTooLargeError, UnprocessableError


class InvalidBodyError(BadRequestError):
    code = "invalid_json"


class NotAnObjectError(BadRequestError):
    code = "not_an_object"


class EmptyBatchError(BadRequestError):
    code = "empty_batch"


class TooManyEventsError(PayloadTooLargeError):
    code = "too_many_events"


class StrictBatchError(UnprocessableError):
    code = "quarantined"
