"""Request bodies that are read by hand, as long as they are neither too large nor too slow."""

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect

from app.core.errors import BadRequestError, PayloadTooLargeError, RequestTimeoutError

BODY_TIMEOUT_SECONDS = 8


async def read_body(request: Request, *, limit: int) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise PayloadTooLargeError(f"The body is larger than {limit} bytes.")
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > limit:
                    raise PayloadTooLargeError(f"The body is larger than {limit} bytes.")
    except TimeoutError:
        raise RequestTimeoutError(f"The body took longer than {BODY_TIMEOUT_SECONDS} s.") from None
    except ClientDisconnect:
        raise BadRequestError("The body ended too early.", code="invalid_json") from None
    return bytes(raw)
