"""Read files, gzipped or not, as blocks of bytes, so that no file must fit into memory.

Gzip is inflated step by step, and each layer only up to a limit: some KB can inflate to many GB.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol

from app.imports.errors import FileTooLargeError, TruncatedFileError

BLOCK_BYTES = 1024 * 1024
PIECE_BYTES = 16 * 1024
"""What is inflated at a time. zlib copies what is left of a piece after each member of a file."""
GZIP_MAGIC = b"\x1f\x8b"
GZIP_FORMAT = 16 + zlib.MAX_WBITS
MAX_GZIP_LAYERS = 2
"""A gzipped file that is sent with ``Content-Encoding: gzip`` is compressed twice."""
MEMBER_BYTES = 512
"""Counted for each member of a gzip file beside its content: empty members take time too."""
MIN_LOCAL_LIMIT, MAX_LOCAL_RATIO = 512 * 1024 * 1024, 1000
"""A local file may inflate to the first, or to so many times its size. No text is denser."""


class FileSource(Protocol):
    """Content that can be read from any offset."""

    def blocks(self, offset: int) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine."""

    path: Path

    def blocks(self, offset: int) -> Iterator[bytes]:
        limit = max(MIN_LOCAL_LIMIT, self.path.stat().st_size * MAX_LOCAL_RATIO)
        with self.path.open("rb") as file:
            yield from decompressed_blocks(file, offset, limit=limit)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that the caller opens and closes. ``limit``: of its inflated bytes."""

    file: BinaryIO
    limit: int

    def blocks(self, offset: int) -> Iterator[bytes]:
        yield from decompressed_blocks(self.file, offset, limit=self.limit)


def decompressed_blocks(file: BinaryIO, offset: int = 0, *, limit: int) -> Iterator[bytes]:
    """Yield the decompressed content from an offset on. Gzip has to be read from the start.

    ``limit``: the bytes to which each layer of gzip may inflate.
    """
    file.seek(0)
    if file.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
        file.seek(offset)
        yield from iter(lambda: file.read(BLOCK_BYTES), b"")
        return
    file.seek(0)
    blocks = iter(lambda: file.read(PIECE_BYTES), b"")
    for _ in range(MAX_GZIP_LAYERS):
        first = next(blocks, b"")
        blocks = chain([first], blocks)
        if not first.startswith(GZIP_MAGIC):
            break
        blocks = _join(_inflate(blocks, limit))
    for block in blocks:
        if offset < len(block):
            yield block[offset:]
        offset = max(offset - len(block), 0)


def _inflate(blocks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Inflate a gzip file of one or more members, with zeros between or after them."""
    member, size = zlib.decompressobj(GZIP_FORMAT), MEMBER_BYTES
    try:
        for piece in _pieces(blocks):
            data = piece
            while data:
                if member.eof:
                    data = data.lstrip(b"\0")
                    if not data:
                        break
                    member, size = zlib.decompressobj(GZIP_FORMAT), size + MEMBER_BYTES
                inflated = member.decompress(data, BLOCK_BYTES)
                size += len(inflated)
                if size > limit + MEMBER_BYTES:
                    raise FileTooLargeError(
                        f"The decompressed file has more than {limit} bytes: split it."
                    )
                yield inflated
                data = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error:
        raise TruncatedFileError("The gzip file is corrupt: compress and send it again.") from None
    if not member.eof:
        raise TruncatedFileError("The gzip file is truncated: send it again.")


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        for start in range(0, len(block), PIECE_BYTES):
            yield block[start : start + PIECE_BYTES]


def _join(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join pieces to blocks: each block is as long as possible."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) >= BLOCK_BYTES:
            yield bytes(buffer[:BLOCK_BYTES])
            del buffer[:BLOCK_BYTES]
    if buffer:
        yield bytes(buffer)


@dataclass(frozen=True, slots=True)
class FileFingerprint:
    """The digest and size of the decompressed content: equal content has an equal digest."""

    digest: str
    size: int


def compute_fingerprint(blocks: Iterable[bytes]) -> FileFingerprint:
    """Return digest and size of a file. Digest and line number together identify each row."""
    digest, size = sha256(), 0
    for block in blocks:
        digest.update(block)
        size += len(block)
    return FileFingerprint(digest.hexdigest()[:16], size)
