"""Take a large body in: to a temporary file, so that neither memory nor the database waits."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from tempfile import TemporaryFile
from typing import Annotated, BinaryIO

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.core.errors import BadRequestError, RequestTimeoutError, UnsupportedEncodingError
from app.imports.errors import FileTooLargeError
from app.imports.files import BLOCK_BYTES, GZIP_MAGIC

IDLE_SECONDS = 30
MAX_SECONDS = 3600
ENCODINGS = {"", "identity", "gzip", "x-gzip"}


async def receive_upload(request: Request) -> AsyncGenerator[BinaryIO]:
    """Yield the body as a file; only then is a connection to the database waited for."""
    headers, limit = request.headers, request.app.state.import_bytes
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise UnsupportedEncodingError("Content-Encoding must be identity or gzip.")
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise FileTooLargeError(f"The file is larger than {limit} bytes.")
    with TemporaryFile() as file:
        await _receive(request, file, limit)
        file.seek(0)
        if encoding.endswith("gzip") and file.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
            raise BadRequestError("The body is not gzipped.", code="invalid_encoding")
        file.seek(0)
        yield file


async def _receive(request: Request, file: BinaryIO, limit: int) -> None:
    received, buffer = 0, bytearray()
    try:
        async with asyncio.timeout(MAX_SECONDS):
            async for chunk in _patiently(request):
                received += len(chunk)
                if received > limit:
                    raise FileTooLargeError(f"The file is larger than {limit} bytes.")
                buffer += chunk
                if len(buffer) >= BLOCK_BYTES:
                    await run_in_threadpool(file.write, bytes(buffer))
                    buffer.clear()
            await run_in_threadpool(file.write, bytes(buffer))
    except TimeoutError:
        raise RequestTimeoutError("The file came too slowly.") from None
    except ClientDisconnect:
        raise BadRequestError("The body ended too early.") from None


async def _patiently(request: Request) -> AsyncIterator[bytes]:
    """Yield what comes, as long as it does not pause for too long."""
    stream = request.stream()
    while True:
        async with asyncio.timeout(IDLE_SECONDS):
            chunk = await anext(stream, None)
        if chunk is None:
            return
        yield chunk


UploadDep = Annotated[BinaryIO, Depends(receive_upload, scope="function")]
