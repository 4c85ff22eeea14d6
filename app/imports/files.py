"""Read files, gzipped or not, as blocks of bytes, so that no file must fit into memory."""

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
"""A gzipped file that is sent with ``Content-Encoding: gzip`` is compressed twice."""


class FileSource(Protocol):
    """Content that can be read from any offset."""

    def blocks(self, offset: int) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine."""

    path: Path

    def blocks(self, offset: int) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            yield from decompressed_blocks(file, offset)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that the caller opens and closes."""

    file: BinaryIO

    def blocks(self, offset: int) -> Iterator[bytes]:
        self.file.seek(0)
        yield from decompressed_blocks(self.file, offset)


def decompressed_blocks(file: BinaryIO, offset: int = 0) -> Iterator[bytes]:
    """Yield the decompressed content from an offset on. Gzip has to be read from the start."""
    content = _decompressed(file)
    try:
        content.seek(offset)
        while block := content.read(BLOCK_BYTES):
            yield block
    except EOFError:
        raise TruncatedFileError("The gzip file is truncated: send it again.") from None
    except (BadGzipFile, zlib.error):
        raise TruncatedFileError("The gzip file is corrupt: compress and send it again.") from None


def _decompressed(file: BinaryIO) -> BinaryIO:
    content: BinaryIO = file
    for _ in range(MAX_GZIP_LAYERS):
        try:
            is_gzip = content.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        except (EOFError, BadGzipFile, zlib.error):
            raise TruncatedFileError(
                "The gzip file is corrupt: compress and send it again."
            ) from None
        content.seek(0)
        if not is_gzip:
            break
        content = GzipFile(fileobj=content, mode="rb")  # type: ignore[assignment]  # same methods
    return content


@dataclass(frozen=True, slots=True)
class FileFingerprint:
    """The digest and size of the decompressed content: equal content has an equal digest."""

    digest: str
    size: int


def compute_fingerprint(blocks: Iterable[bytes], *, limit: int | None = None) -> FileFingerprint:
    """Return digest and size of a file. Digest and line number together identify each row."""
    digest, size = sha256(), 0
    for block in blocks:
        digest.update(block)
        size += len(block)
        if limit is not None and size > limit:
            raise FileTooLargeError(f"The decompressed file has more than {limit} bytes: split it.")
    return FileFingerprint(digest.hexdigest()[:16], size)
