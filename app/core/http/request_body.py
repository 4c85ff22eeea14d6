"""Read a request body by hand, with a limit on its size and on the time that it takes."""

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect

from app.core.errors import BadRequestError, PayloadTooLargeError, RequestTimeoutError

BODY_TIMEOUT_SECONDS = 8


async def read_body(request: Request, *, limit: int) -> bytes:
    """Return the whole body; raise a ProblemError if it is too large, too slow or cut off."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise PayloadTooLargeError(f"The body is larger than the limit of {limit} bytes.")
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > limit:
                    raise PayloadTooLargeError(
                        f"The body is larger than the limit of {limit} bytes."
                    )
    except TimeoutError:
        raise RequestTimeoutError(
            f"The body did not arrive within {BODY_TIMEOUT_SECONDS} s."
        ) from None
    except ClientDisconnect:
        raise BadRequestError(
            "The connection closed before the body was complete.", code="invalid_json"
        ) from None
    return bytes(raw)
