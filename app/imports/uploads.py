"""Uploaded files: receive and check a large body, and store it for the workers.

A body goes into a temporary file, so that it fills neither memory nor a connection. It is inflated,
checked and compressed before the request takes a database slot. In the database it is kept as
compressed chunks, so that any worker can continue.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryFile
from typing import BinaryIO

import zstandard
from fastapi import Request
from sqlalchemy.orm import Session
from starlette.requests import ClientDisconnect

from app.core.db import SessionFactory
from app.core.errors import BadRequestError, RequestTimeoutError, UnsupportedEncodingError
from app.core.http.request_checks import announced_bytes
from app.imports import queries
from app.imports.errors import FileTooLargeError
from app.imports.files import (
    BLOCK_BYTES,
    GZIP_MAGIC,
    FileFingerprint,
    FileSource,
    OpenFile,
    compute_fingerprint,
)
from app.imports.plan import ImportPlan
from app.imports.tables import ImportChunk
from app.imports.upload_limits import UploadLimits

IDLE_SECONDS = 30
MAX_SECONDS = 3600
ENCODINGS = {"", "identity", "gzip", "x-gzip"}


@dataclass(frozen=True, slots=True)
class PreparedUpload:
    """A checked file, as compressed chunks in a temporary file: only storing it is left to do.

    ``chunks``: where the content of each chunk starts, and the bytes of the chunk.
    """

    plan: ImportPlan
    fingerprint: FileFingerprint
    chunks: Iterable[tuple[int, bytes]]


def prepare_upload(plan: ImportPlan, source: FileSource, file: BinaryIO) -> PreparedUpload:
    """Check a file and compress it into ``file``. All but the first lines is read once."""
    plan.check(source)
    sizes: list[tuple[int, int]] = []
    compressor = zstandard.ZstdCompressor()

    def compressed() -> Iterator[bytes]:
        for block in source.blocks(0):
            sizes.append((len(block), file.write(compressor.compress(block))))
            yield block

    fingerprint = compute_fingerprint(compressed())
    return PreparedUpload(plan, fingerprint, _read_chunks(file, sizes))


def _read_chunks(file: BinaryIO, sizes: Iterable[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
    start = 0
    file.seek(0)
    for length, stored in sizes:
        yield start, file.read(stored)
        start += length


@asynccontextmanager
async def receive_upload(
    request: Request, workspace_id: str, plan: ImportPlan
) -> AsyncGenerator[PreparedUpload]:
    """Receive and prepare the body of a request; then wait for a turn to store it."""
    uploads: UploadLimits = request.app.state.uploads
    limit: int = request.app.state.import_bytes
    encoding = _check_head(request, limit)
    with uploads.place(workspace_id), TemporaryFile() as file:
        with TemporaryFile() as body:
            await _receive(request, body, limit, uploads)
            body.seek(0)
            if encoding.endswith("gzip") and body.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
                raise BadRequestError(
                    "The Content-Encoding is gzip, the body is not: compress it or omit the"
                    " header.",
                    code="invalid_encoding",
                )
            source = OpenFile(body, limit)
            upload = await uploads.run(partial(prepare_upload, plan, source, file))
        async with uploads.storing:
            yield upload


def _check_head(request: Request, limit: int) -> str:
    """Return the content encoding; refuse a body that the headers say is unusable."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise UnsupportedEncodingError("gzip")
    if announced_bytes(request) > limit:
        raise FileTooLargeError(f"The file is larger than {limit} bytes: split it.")
    return encoding


async def _receive(request: Request, file: BinaryIO, limit: int, uploads: UploadLimits) -> None:
    received, buffer = 0, bytearray()
    try:
        async with asyncio.timeout(MAX_SECONDS):
            async for chunk in _chunks(request):
                received += len(chunk)
                if received > limit:
                    raise FileTooLargeError(f"The file is larger than {limit} bytes: split it.")
                buffer += chunk
                if len(buffer) >= BLOCK_BYTES:
                    await uploads.run(partial(file.write, bytes(buffer)))
                    buffer.clear()
            await uploads.run(partial(file.write, bytes(buffer)))
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


def store_chunks(
    session: Session, workspace_id: str, import_id: str, chunks: Iterable[tuple[int, bytes]]
) -> None:
    """Store a file's chunks; each is written before the next is read."""
    for start, content in chunks:
        chunk = ImportChunk(
            workspace_id=workspace_id, import_id=import_id, start=start, content=content
        )
        session.add(chunk)
        session.flush()
        session.expunge(chunk)


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
