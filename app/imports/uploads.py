"""Uploaded files: receive a large body, and store it for the workers.

A body goes into a temporary file, so that it fills neither memory nor a connection. In the database
it is kept as compressed chunks, so that any worker can continue.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Annotated, BinaryIO

import zstandard
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session
from starlette.requests import ClientDisconnect

from app.core.db import SessionFactory
from app.core.errors import BadRequestError, RequestTimeoutError, UnsupportedEncodingError
from app.imports import queries
from app.imports.errors import FileTooLargeError
from app.imports.files import BLOCK_BYTES, GZIP_MAGIC
from app.imports.tables import ImportChunk

IDLE_SECONDS = 30
MAX_SECONDS = 3600
ENCODINGS = {"", "identity", "gzip", "x-gzip"}


async def receive_upload(request: Request) -> AsyncGenerator[BinaryIO]:
    """Yield the complete body as a file, before a database connection is requested."""
    headers, limit = request.headers, request.app.state.import_bytes
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise UnsupportedEncodingError("The Content-Encoding must be identity or gzip.")
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise FileTooLargeError(f"The file is larger than {limit} bytes: split it.")
    with TemporaryFile() as file:
        await _receive(request, file, limit)
        file.seek(0)
        if encoding.endswith("gzip") and file.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
            raise BadRequestError(
                "The Content-Encoding is gzip, the body is not: compress it or omit the header.",
                code="invalid_encoding",
            )
        file.seek(0)
        yield file


async def _receive(request: Request, file: BinaryIO, limit: int) -> None:
    received, buffer = 0, bytearray()
    try:
        async with asyncio.timeout(MAX_SECONDS):
            async for chunk in _chunks(request):
                received += len(chunk)
                if received > limit:
                    raise FileTooLargeError(f"The file is larger than {limit} bytes: split it.")
                buffer += chunk
                if len(buffer) >= BLOCK_BYTES:
                    await run_in_threadpool(file.write, bytes(buffer))
                    buffer.clear()
            await run_in_threadpool(file.write, bytes(buffer))
    except TimeoutError:
        raise RequestTimeoutError(
            f"The upload was too slow: send data every {IDLE_SECONDS} s and all in {MAX_SECONDS} s."
        ) from None
    except ClientDisconnect:
        raise BadRequestError("The connection was closed before the whole body arrived.") from None


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the received chunks; raise TimeoutError if none arrives for ``IDLE_SECONDS``."""
    stream = request.stream()
    while True:
        async with asyncio.timeout(IDLE_SECONDS):
            chunk = await anext(stream, None)
        if chunk is None:
            return
        yield chunk


UploadDep = Annotated[BinaryIO, Depends(receive_upload, scope="function")]


def store_file(
    session: Session, workspace_id: str, import_id: str, blocks: Iterable[bytes]
) -> None:
    """Store a file's content; each chunk is written before the next is read."""
    compressor, start = zstandard.ZstdCompressor(), 0
    for block in blocks:
        chunk = ImportChunk(
            workspace_id=workspace_id,
            import_id=import_id,
            start=start,
            content=compressor.compress(block),
        )
        session.add(chunk)
        session.flush()
        session.expunge(chunk)
        start += len(block)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An uploaded file as a ``FileSource``."""

    sessions: SessionFactory
    workspace_id: str
    import_id: str

    def blocks(self, offset: int) -> Iterator[bytes]:
        while block := self._read_block(offset):
            offset += len(block)
            yield block

    def _read_block(self, offset: int) -> bytes:
        with self.sessions() as session:
            chunk = queries.find_chunk(session, self.workspace_id, self.import_id, offset)
        if chunk is None:
            return b""
        return zstandard.ZstdDecompressor().decompress(chunk.content)[offset - chunk.start :]
