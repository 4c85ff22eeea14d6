"""Files as blocks of plain bytes, gzipped or not, so that none has to fit into the memory."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from gzip import BadGzipFile, GzipFile
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Protocol

from app.imports.errors import FileTooLargeError, TruncatedFileError

BLOCK_BYTES = 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"
MAX_GZIP_LAYERS = 2
"""A gzipped file that is sent with ``Content-Encoding: gzip`` is wrapped twice."""


class FileSource(Protocol):
    """Something whose content can be read from any place on."""

    def blocks(self, offset: int) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine; it is read where it is."""

    path: Path

    def blocks(self, offset: int) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            yield from decompressed_blocks(file, offset)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that somebody else opened, and closes."""

    file: BinaryIO

    def blocks(self, offset: int) -> Iterator[bytes]:
        self.file.seek(0)
        yield from decompressed_blocks(self.file, offset)


def decompressed_blocks(file: BinaryIO, offset: int = 0) -> Iterator[bytes]:
    """Undo gzip, which has to be read from its start, and yield what comes from a place on."""
    plain = _unwrapped(file)
    try:
        plain.seek(offset)
        while block := plain.read(BLOCK_BYTES):
            yield block
    except EOFError:
        raise TruncatedFileError("The gzipped file ends too early.") from None
    except (BadGzipFile, zlib.error):
        raise TruncatedFileError("The gzipped file is broken.") from None


def _unwrapped(file: BinaryIO) -> BinaryIO:
    plain: BinaryIO = file
    for _ in range(MAX_GZIP_LAYERS):
        try:
            gzipped = plain.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        except (EOFError, BadGzipFile, zlib.error):
            raise TruncatedFileError("The gzipped file is broken.") from None
        plain.seek(0)
        if not gzipped:
            break
        plain = GzipFile(fileobj=plain, mode="rb")  # type: ignore[assignment]  # it reads as one
    return plain


@dataclass(frozen=True, slots=True)
class FileFingerprint:
    """What a file holds, gzipped or not: equal content has an equal digest."""

    digest: str
    size: int


def compute_fingerprint(blocks: Iterable[bytes], *, limit: int | None = None) -> FileFingerprint:
    """Read a file once through; with the line number its digest makes an id for each row."""
    found, size = sha256(), 0
    for block in blocks:
        found.update(block)
        size += len(block)
        if limit is not None and size > limit:
            raise FileTooLargeError(f"The file holds more than {limit} bytes.")
    return FileFingerprint(found.hexdigest()[:16], size)
